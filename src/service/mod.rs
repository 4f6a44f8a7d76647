//! The service: builds pipelines from the configuration, starts and drains them.
