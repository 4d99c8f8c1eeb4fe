fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let root = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("..");
    println!("cargo::rerun-if-changed=../tracer-ebpf/src");
    println!("cargo::rerun-if-changed=../tracer-common/src");
    let s = std::process::Command::new("cargo")
        .current_dir(root.join("tracer-ebpf"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/root")
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-C link-arg=--btf -C debuginfo=2")
        .args([
            "build",
            "--release",
            "--target",
            "bpfel-unknown-none",
            "--target-dir",
        ])
        .arg(out.join("e"))
        .status()
        .unwrap();
    assert!(s.success());
    std::fs::copy(
        out.join("e/bpfel-unknown-none/release/tracer"),
        out.join("tracer.bpf.o"),
    )
    .unwrap();
}
