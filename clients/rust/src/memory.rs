//! How much shared memory a new ring may take.

use std::fs::read_to_string;
use std::path::Path;

use crate::sys::shm_free;

/// The lesser of what /dev/shm has free and what the memory cgroups still allow. Asked before allocating: a cgroup answers
/// an allocation beyond its limit with SIGKILL, not with an error.
pub(crate) fn room() -> u64 {
    let own = read_to_string("/proc/self/cgroup").unwrap_or_default();
    let allowed = rooms(&own, Path::new("/sys/fs/cgroup"));
    // the cgroup also pays for page tables and the kernel's index of the pages, 1/256 of the ring
    let usable = allowed.into_iter().map(|room| room.saturating_sub((1 << 20) + room / 128));
    usable.chain([shm_free()]).min().unwrap_or(0)
}

/// What this process's memory cgroup and each above it have left. In a container the path may not exist below the mount:
/// then the mount's own files count.
fn rooms(own: &str, mount: &Path) -> Vec<u64> {
    let mut rooms = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let v2 = controllers.is_empty();
        if !v2 && !controllers.split(',').any(|name| name == "memory") {
            continue;
        }
        let root = if v2 { mount.to_path_buf() } else { mount.join("memory") };
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != "..").collect();
        for depth in 0..=names.len() {
            let folder = names[..depth].iter().fold(root.clone(), |folder, name| folder.join(name));
            rooms.extend(room_in(&folder, v2));
        }
    }
    rooms
}

/// Limit - use + page cache of one cgroup; None where it has no limit.
fn room_in(folder: &Path, v2: bool) -> Option<u64> {
    let number = |name: &str| read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok(); // "max" is none
    let limit = number(if v2 { "memory.max" } else { "memory.limit_in_bytes" })?;
    let used = number(if v2 { "memory.current" } else { "memory.usage_in_bytes" })?;
    let key = if v2 { "inactive_file " } else { "total_inactive_file " };
    let stat = read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let cache = stat.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok()).unwrap_or(0u64);
    Some(limit.saturating_add(cache).saturating_sub(used))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, remove_dir_all, write};

    #[test]
    fn the_tightest_cgroup_up_to_the_root_counts() {
        let mount = std::env::temp_dir().join(format!("streamem-cgroup-{}", std::process::id()));
        create_dir_all(mount.join("memory/a/b")).unwrap();
        let put = |name: &str, text: &str| write(mount.join(name), text).unwrap();
        put("memory.max", "max\n");
        put("memory.current", "5\n");
        put("memory/a/memory.limit_in_bytes", "1000\n");
        put("memory/a/memory.usage_in_bytes", "900\n");
        put("memory/a/memory.stat", "cache 77\ntotal_inactive_file 50\n");
        put("memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
        put("memory/a/b/memory.usage_in_bytes", "900\n");
        let found = rooms("12:cpu:/x\n5:hugetlb,memory:/../a/b\n0::/nowhere\n", &mount);
        remove_dir_all(&mount).unwrap();
        assert_eq!(found, [150, 9223372036854770812]);
    }
}
