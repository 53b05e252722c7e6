/**
 * The one list of what tests need beyond npm. A test asks for the program itself (`Bun.which`) and is
 * skipped where it is missing; test/run.ts installs what it may and names what it may not.
 */
import { existsSync } from "node:fs";

export interface NeededPackage {
  /** As Debian calls it. */
  name: string;
  /** What cannot be tested without it. */
  purpose: string;
  /** Programs, or absolute paths with `*`, that show that it is there: whoever installed them. */
  provides: string[];
}

const rtsp = "video from an RTSP server";

export const neededPackages: NeededPackage[] = [
  {
    name: "gcc",
    purpose: "the C header, the shim built with -O2, the sanitizers",
    provides: ["cc"],
  },
  {
    name: "libc6-dev",
    purpose: "everything that is compiled",
    provides: ["/usr/include/stdio.h"],
  },
  { name: "g++", purpose: "the C header as C++17", provides: ["c++"] },
  { name: "python3", purpose: "the Python client", provides: ["python3"] },
  {
    name: "python3-venv",
    purpose: "NumPy, OpenCV and vermin",
    provides: ["/usr/lib*/python3*/ensurepip/__init__.py"],
  },
  { name: "pypy3", purpose: "the Python client under a second interpreter", provides: ["pypy3"] },
  { name: "rustc", purpose: "the Rust client", provides: ["rustc"] },
  { name: "cargo", purpose: "the Rust client", provides: ["cargo"] },
  {
    name: "librust-libc-dev",
    purpose: "the Rust client without a network",
    provides: ["/usr/share/cargo/registry/libc-*/Cargo.toml"],
  },
  { name: "nodejs", purpose: "the Node client", provides: ["node"] },
  { name: "golang-go", purpose: "the Go client", provides: ["go"] },
  { name: "ffmpeg", purpose: "video files and streams to read", provides: ["ffmpeg", "ffprobe"] },
  { name: "python3-gi", purpose: rtsp, provides: ["/usr/lib/python3/dist-packages/gi"] },
  {
    name: "gir1.2-gst-rtsp-server-1.0",
    purpose: rtsp,
    provides: ["/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib"],
  },
  {
    name: "gstreamer1.0-plugins-base",
    purpose: rtsp,
    provides: ["/usr/lib/*/gstreamer-1.0/libgstapp.so"],
  },
  {
    name: "gstreamer1.0-plugins-good",
    purpose: rtsp,
    provides: ["/usr/lib/*/gstreamer-1.0/libgstrtp.so"],
  },
  {
    name: "gstreamer1.0-plugins-bad",
    purpose: rtsp,
    provides: ["/usr/lib/*/gstreamer-1.0/libgstvideoparsersbad.so"],
  },
  { name: "redis-server", purpose: "messages sent on to Redis", provides: ["redis-server"] },
  { name: "chromium", purpose: "the page in a browser", provides: ["chromium"] },
  { name: "git", purpose: "which files are tracked", provides: ["git"] },
  { name: "strace", purpose: "counts of system calls", provides: ["strace"] },
  {
    name: "util-linux",
    purpose: "readers of another user and in other namespaces",
    provides: ["setpriv", "unshare", "nsenter"],
  },
  { name: "iproute2", purpose: "a network with nobody in it", provides: ["ip"] },
  {
    name: "libavahi-client3",
    purpose: "NDI: libndi links to it",
    provides: ["/usr/lib/*/libavahi-client.so.3"],
  },
];

/** What is not there, by looking for the programs: a compiler from elsewhere is as good. */
export function missingPackages(): NeededPackage[] {
  return neededPackages.filter((needed) => !needed.provides.every(isThere));
}

function isThere(what: string): boolean {
  if (!what.startsWith("/")) return Bun.which(what) !== null;
  if (!what.includes("*")) return existsSync(what);
  const found = new Bun.Glob(what.slice(1)).scanSync({ cwd: "/", absolute: true });
  return !found.next().done;
}
