//! What this machine and its operator have set: the only reader of the environment and of configuration files.
//!
//! ```text
//! environment ─▶ paths ─▶ settings (config.toml) ─▶ profiles (layers for policy::resolve)
//!                                                └▶ engine_address (where the engine is)
//! ```

mod ca_bundle;
mod docker_context;
mod endpoint;
pub mod engine_address;
mod env_files;
mod environment;
mod ownership;
mod paths;
pub mod profiles;
mod project_file;
mod registries;
mod settings;
pub mod stamp;
pub mod state;
mod text_file;
pub mod themes;
pub(crate) mod toml_file;

pub use endpoint::Endpoint;
pub use env_files::env_files;
pub use environment::Environment;
pub use paths::Paths;
pub use registries::{Registries, Registry, RegistryCredentials};
pub use settings::{
    CaBundle, DashboardSettings, DepotSettings, ImageSettings, PackageSettings, PrivateRegistry, Proxy, RegistrySettings, Settings,
    WorkspaceSettings,
};
