//! An HTML page of a login, read and filled in as the form agent does. The password must go nowhere but into a form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oaudit::front::fuzzing::page;

fuzz_target!(|text: &str| page(text));
