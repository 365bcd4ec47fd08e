//! Publishes checkpoints in the background, as long as it is held.

use crate::service::{Service, ServiceError};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The thread that publishes. It ends, after a last checkpoint, when this is dropped.
pub struct Publisher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Publishes every `interval` what has been added since.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(service: Arc<Service>, interval: Duration) -> io::Result<Publisher> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("log-publisher".to_owned()).spawn(move || {
            let mut trouble: Option<ServiceError> = None;
            loop {
                let waited = stopped.recv_timeout(interval);
                match service.publish() {
                    Ok(_) => trouble = None,
                    // Said once, not every second.
                    Err(error) if trouble.as_ref() == Some(&error) => {}
                    Err(error) => {
                        metrics::counter!("tamga_failures_total", "code" => "log").increment(1);
                        tracing::error!(%error, "no checkpoint of the log was published");
                        trouble = Some(error);
                    }
                }
                if !matches!(waited, Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        })?;
        Ok(Publisher { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked publishes nothing more.
            let _ = thread.join();
        }
    }
}
