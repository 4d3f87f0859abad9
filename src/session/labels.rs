//! The labels by which our containers, volumes and images are known. Nothing without [`SCHEMA`] is ours.

/// On everything of ours; the value is the labels' schema, `1`.
pub const SCHEMA: &str = "palisade.schema";
/// The schema that this program writes and reads.
pub const SCHEMA_VALUE: &str = "1";
/// What the object is for: [`ROLE_SESSION`], [`ROLE_SUPERVISOR`], ….
pub const ROLE: &str = "palisade.role";
/// A sandbox, its home volume.
pub const ROLE_SESSION: &str = "session";
/// The volume with the supervisor binary, and the never-started container that fills it.
pub const ROLE_SUPERVISOR: &str = "supervisor";
/// A one-shot container that reads a session's kernel facts.
pub const ROLE_PROBE: &str = "probe";
/// The package depot, its volumes and its image.
pub const ROLE_DEPOT: &str = "depot";
/// The never-started container by which a session's volumes get their owner.
pub const ROLE_HOME: &str = "home";
/// A sandbox image, and what its build leaves behind on the way.
pub const ROLE_IMAGE: &str = "image";
/// The session's ULID.
pub const ID: &str = "palisade.session.id";
/// The name at launch; the container's own name is the truth after a rename.
pub const NAME: &str = "palisade.session.name";
/// `persistent` or `ephemeral`.
pub const KIND: &str = "palisade.session.kind";
/// The profile's name.
pub const PROFILE: &str = "palisade.session.profile";
/// The image as it was named at launch: the container itself is made from the content id.
pub const IMAGE: &str = "palisade.session.image";
/// SHA-256 of the plan's canonical JSON without this label.
pub const PLAN: &str = "palisade.session.plan";
/// The requested policy's hardening as canonical JSON: what `verify` compares with.
pub const REQUESTED: &str = "palisade.session.requested";
/// `NAME=ENV` of each secret, comma-separated: never a value.
pub const SECRETS: &str = "palisade.session.secrets";
/// What was asked for, as canonical JSON: by it the same can be asked for on another day. No value of a variable or a secret.
pub const ASKED: &str = "palisade.session.asked";
/// What the plan came to, field by field, as canonical JSON: what a later day's plan and the live container are compared with.
pub const TERMS: &str = "palisade.session.terms";
/// The container, by its full id, whose place this one takes in an update.
pub const REPLACES: &str = "palisade.session.replaces";
/// Seconds that it may run from each start; 0 for as long as it likes.
pub const TTL: &str = "palisade.session.ttl";
/// Seconds that nobody may use it before it is stopped; 0 for as long as it likes.
pub const IDLE: &str = "palisade.session.idle";
/// Bytes that its volumes may take before it is warned of; 0 for as many as they like.
pub const DISK_SOFT: &str = "palisade.session.disk-soft";
/// Bytes that its volumes may take before it is stopped; 0 for as many as they like.
pub const DISK_HARD: &str = "palisade.session.disk-hard";
/// Who launched it, `uid@host`.
pub const CREATOR: &str = "palisade.session.creator";
/// On containers and volumes: which process made it, and for which piece of its work. What stands there of a maker that has ended was
/// never finished, where it is still as it was created.
pub const MAKER: &str = "palisade.maker";
/// On an image: the uid that owns the home folder in it.
pub const IMAGE_HOME_UID: &str = "palisade.image.home-uid";
/// On an image: the uid that owns the cache folder in it.
pub const IMAGE_CACHE_UID: &str = "palisade.image.cache-uid";
/// What the name of a container begins with that is to take another's place in an update, and what that of the other while it does:
/// no session is called so, whatever its name.
pub const NEXT_PREFIX: &str = "palisade.next-";
/// See [`NEXT_PREFIX`].
pub const OLD_PREFIX: &str = "palisade.old-";
/// What every container name of ours begins with.
pub const CONTAINER_PREFIX: &str = "palisade-";
