//! Nothing is built of this package; it names what is to be fetched.
