use std::path::Path;

use tokio::io::AsyncReadExt;

use super::Wanted;
use super::basket::Basket;
use crate::failure::{Code, Failure, Result};

/// More than any requirements or lock file is.
const LARGEST: u64 = 32 << 20;

/// Reads the files that were named, and proves everything.
pub async fn basket(wanted: &Wanted) -> Result<Basket> {
    let mut basket = Basket::default();
    basket.add_names(&wanted.names)?;
    for path in &wanted.requirements {
        basket.add_requirements(&path.to_string_lossy(), &text(path).await?)?;
    }
    if let Some(path) = &wanted.package_lock {
        basket.add_package_lock(&path.to_string_lossy(), &text(path).await?)?;
    }
    Ok(basket)
}

async fn text(path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| Failure::io(format!("read {}", path.display()), &error);
    // Opening a pipe or a device could wait for ever.
    if !tokio::fs::metadata(path).await.map_err(failed)?.is_file() {
        return Err(Failure::new(Code::Usage, format!("{} is not a file", path.display())));
    }
    let mut text = String::new();
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    file.take(LARGEST + 1).read_to_string(&mut text).await.map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(Failure::new(Code::Usage, format!("{} is larger than {} MiB", path.display(), LARGEST >> 20)));
    }
    Ok(text)
}
