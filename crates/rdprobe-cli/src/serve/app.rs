//! What all requests share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tracing::{info, warn};

use super::config::{Config, File, Ground};
use super::own::Own;
use super::recent::Recent;
use crate::args::ServeArguments;
use crate::exposition::Exposition;

/// The exporter.
pub(super) struct App {
    file: Option<PathBuf>,
    ground: Ground,
    config: RwLock<Arc<Config>>,
    /// One for each probe that may run.
    pub(super) places: Arc<Semaphore>,
    most: usize,
    pub(super) timeout_offset: Duration,
    pub(super) own: Own,
    recent: Mutex<Recent>,
    /// Once true, probes under way end with what they saw.
    pub(super) stop: watch::Sender<bool>,
}

impl App {
    /// Reads the configuration.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(arguments: &ServeArguments, ground: Ground) -> Result<Self, String> {
        let config = Config::new(File::read(arguments.config.as_deref())?, &ground)?;
        let most = usize::from(arguments.max_probes);
        Ok(Self {
            file: arguments.config.clone(),
            ground,
            config: RwLock::new(Arc::new(config)),
            places: Arc::new(Semaphore::new(most)),
            most,
            timeout_offset: arguments.timeout_offset,
            own: Own::new(most),
            recent: Mutex::new(Recent::new(arguments.history.into())),
            stop: watch::Sender::new(false),
        })
    }

    /// What is in force now. A request goes by one configuration from its beginning to its end.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether only this computer can ask.
    pub(super) fn is_exposed(&self) -> bool {
        self.ground.exposed
    }

    /// Reads the configuration again. The names of its modules.
    ///
    /// # Errors
    /// What is wrong with it; what was in force stays so.
    pub(super) fn reload(&self) -> Result<String, String> {
        let read = File::read(self.file.as_deref()).and_then(|file| Config::new(file, &self.ground));
        self.own.reloaded(read.is_ok());
        match read {
            Ok(config) => {
                let modules = config.names().join(", ");
                *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                info!("reloaded: modules {modules}");
                Ok(modules)
            }
            Err(error) => {
                warn!("not reloaded, the configuration before stays in force: {error}");
                Err(error)
            }
        }
    }

    /// What `/metrics` says.
    pub(super) fn metrics(&self, exposition: Exposition) -> String {
        #[cfg(feature = "logon")]
        for (name, disabled) in self.ground.credentials.iter().flat_map(|credentials| credentials.standings())
        {
            self.own.credentials(name, disabled);
        }
        self.own.write(exposition, self.most - self.places.available_permits())
    }
}
