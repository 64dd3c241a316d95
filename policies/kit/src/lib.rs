//! What every fedward policy shares.
