//! One test binary over the whole product.
