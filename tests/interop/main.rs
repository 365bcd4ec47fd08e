//! CMS against a peer and against its attackers: what openssl makes we judge alike, what we make openssl accepts, and
//! the known attacks on signed messages are refused by the code that names the defect.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod alteration;
mod attacks;
mod command;
mod documents;
mod fixture;
mod licences;
mod message;
mod national;
mod openssl;
mod order_500;
