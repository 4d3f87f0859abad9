use async_trait::async_trait;
use bollard::query_parameters::{BuildImageOptions, CreateImageOptions, ImportImageOptions, ListImagesOptions, RemoveImageOptions};

use super::{DockerEngine, gone, ours};
use crate::backend::engine::body::{ReaderFault, watched};
use crate::backend::engine::call::Noun;
use crate::backend::engine::connect;
use crate::backend::engine::{
    BuildRequest, ByteStream, EngineVersion, ImageSummary, Images, ProgressStream, build, convert, reference, streams,
};
use crate::failure::Result;
use crate::policy::ImageFacts;

#[async_trait]
impl Images for DockerEngine {
    async fn version(&self) -> Result<EngineVersion> {
        self.version.get_or_try_init(|| connect::ask(&self.docker, &self.endpoint)).await.cloned()
    }

    async fn image(&self, reference: &str) -> Result<ImageFacts> {
        let name = reference::image(reference)?;
        let call = self.call("look at the image", Noun::Image, name);
        self.docker.inspect_image(name).await.map(|image| convert::image::facts(name, image)).map_err(|error| call.failure(&error))
    }

    async fn our_images(&self) -> Result<Vec<ImageSummary>> {
        self.images_of_ours(false).await
    }

    async fn our_images_and_steps(&self) -> Result<Vec<ImageSummary>> {
        self.images_of_ours(true).await
    }

    fn pull(&self, reference: &str) -> ProgressStream {
        let name = match reference::image(reference) {
            Ok(name) => name,
            Err(failure) => return streams::failed(failure),
        };
        let (repository, tag) = reference::repository_and_tag(name);
        let options = CreateImageOptions {
            from_image: Some(repository.to_owned()),
            tag: Some(tag.to_owned()).filter(|tag| !tag.is_empty()),
            ..Default::default()
        };
        let lines = self.patient().create_image(Some(options), None, None);
        streams::image_progress(lines, self.call("pull the image", Noun::RemoteImage, name), ReaderFault::default())
    }

    fn import(&self, reference: &str, changes: &[String], tar: ByteStream) -> ProgressStream {
        let name = match reference::image(reference) {
            Ok(name) => name,
            Err(failure) => return streams::failed(failure),
        };
        let (repository, tag) = reference::repository_and_tag(name);
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repository.to_owned()),
            tag: Some(tag.to_owned()),
            changes: changes.to_vec(),
            ..Default::default()
        };
        let (body, fault) = watched(tar);
        let lines = self.patient().create_image(Some(options), Some(bollard::body_try_stream(body)), None);
        streams::image_progress(lines, self.call("import the image", Noun::Engine, name), fault)
    }

    fn load(&self, reference: &str, tar: ByteStream) -> ProgressStream {
        let (body, fault) = watched(tar);
        let lines = self.patient().import_image(ImportImageOptions::default(), bollard::body_try_stream(body), None);
        streams::load_progress(lines, self.call("load the image", Noun::Engine, reference), fault)
    }

    fn build(&self, request: &BuildRequest, context: ByteStream) -> ProgressStream {
        if let Err(failure) = reference::image(&request.tag) {
            return streams::failed(failure);
        }
        let options = BuildImageOptions {
            t: Some(request.tag.clone()),
            nocache: request.no_cache,
            rm: true,
            forcerm: true,
            buildargs: Some(request.args.clone().into_iter().collect()),
            labels: Some(request.labels.clone().into_iter().collect()),
            ..Default::default()
        };
        let call = self.call("build the image", Noun::Engine, &request.tag);
        let docker = self.patient();
        build::progress(docker, options, context, call)
    }

    async fn remove_image(&self, reference: &str) -> Result<()> {
        let name = reference::image(reference)?;
        match self.docker.remove_image(name, None::<RemoveImageOptions>, None).await {
            Ok(_) => Ok(()),
            Err(error) if gone(&error) => Ok(()),
            Err(error) => Err(self.call("remove the image", Noun::Image, name).failure(&error)),
        }
    }
}

impl DockerEngine {
    async fn images_of_ours(&self, all: bool) -> Result<Vec<ImageSummary>> {
        let options = ListImagesOptions { all, filters: Some(ours()), ..Default::default() };
        let call = self.call("list the images", Noun::Engine, "");
        let images = self.docker.list_images(Some(options)).await.map_err(|error| call.failure(&error))?;
        Ok(images.into_iter().map(convert::image::summary).collect())
    }
}
