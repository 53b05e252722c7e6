/work/wt/rust/clients/rust/target/release/deps/streamem-a31dec9e5df4f747.d: src/lib.rs src/array.rs src/bell.rs src/descriptor.rs src/dtype.rs src/error.rs src/frame.rs src/header.rs src/json.rs src/layout.rs src/map.rs src/names.rs src/reader.rs src/ring.rs src/stack.rs src/sys.rs src/waiting.rs

/work/wt/rust/clients/rust/target/release/deps/streamem-a31dec9e5df4f747: src/lib.rs src/array.rs src/bell.rs src/descriptor.rs src/dtype.rs src/error.rs src/frame.rs src/header.rs src/json.rs src/layout.rs src/map.rs src/names.rs src/reader.rs src/ring.rs src/stack.rs src/sys.rs src/waiting.rs

src/lib.rs:
src/array.rs:
src/bell.rs:
src/descriptor.rs:
src/dtype.rs:
src/error.rs:
src/frame.rs:
src/header.rs:
src/json.rs:
src/layout.rs:
src/map.rs:
src/names.rs:
src/reader.rs:
src/ring.rs:
src/stack.rs:
src/sys.rs:
src/waiting.rs:
