//! The routes that change something, and whom each serves. The folder path is the URL.

