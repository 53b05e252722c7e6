#!/usr/bin/env python3
"""streamem for Python: read and write rings of sensor frames in shared memory. One file: copy it and import it.

    import streamem
    with streamem.open("rand-camera", timeout=5) as camera:
        for frame in camera:                     # each frame in order; Ctrl-C ends it
            print(frame.seq, frame.shape, frame.missed, frame.age_ns)
            image = frame.array                  # a view: read-only, no copy
            mean = image.mean()                  # (NumPy, if it is installed)
            if not frame.valid():                # overwritten while we worked on it: drop the result
                continue

    with streamem.create("detections", {"kind": "message"}) as detections:
        detections.publish({"label": "person", "score": 0.97}, refers_to=frame)

    python3 streamem.py                          lists the streams of this machine
    python3 streamem.py rand-camera              prints shape, rate and missed frames once a second

Needs the standard library of Python 3.4 or later (CPython or PyPy) on 64-bit little-endian Linux; NumPy is used where it
is installed. Without ctypes everything works too, by looking every 2 ms instead of being woken.

The format. A stream is a file, /dev/shm/<prefix>.<name>: a header of 256 bytes, a JSON descriptor, and N slots. A slot is a
slot header of 128 bytes, the frame's fields (its metadata), and its payload. Frame s, counted from 1, lies in slot s % N.

    the writer of frame s               a reader of frame s
      begin = s                           latest == s
      slot header, fields, payload        end == s ?
      end = s                             copy the slot header and the fields
      latest = s                          begin == s ?                    else: overwritten, take a newer one
      wake += 1, FUTEX_WAKE               use or copy the payload
                                          begin == s ?  (frame.valid())   else: drop what was made of it

Readers map the file read-only and the writer never waits for them. Sizes and offsets come from the header and are checked
before they are used. When a writer ends or is replaced its ring gets the flag RETIRED, and the reader opens the name anew: a
new ring is a new generation, with a new id, and sequences that start again at 1.

Memory order. Every word above is one aligned 8-byte (wake: 4-byte) load or store. On x86-64 that is all it takes. On other
architectures the order needs fences, which Python does not have: libatomic's are used where libatomic.so.1 is installed,
and without it a torn frame is unlikely but not excluded (`streamem.FENCED` says which holds).

Names, units, errors. Times are integers in ns on CLOCK_MONOTONIC unless the name says otherwise; timeouts are seconds, None
waits for ever. What goes wrong is a RingError whose text says what, where, and what to do.
A Reader belongs to one thread; a Writer may be used by several.
"""

from __future__ import print_function

import array
import atexit
import binascii
import collections
import errno
import fcntl
import gc
import json
import mmap
import os
import platform
import re
import select
import socket
import stat
import struct
import sys
import threading
import time
import weakref

try:
    import ctypes
except ImportError:  # a Python built without it: readers poll, a producer says that it wakes nobody
    ctypes = None

__all__ = ["open", "create", "streams", "sync", "Reader", "Frame", "Stack", "Reference", "REFERENCE_FIELDS", "Writer", "Sync",
           "FrameSet", "RingError", "Lapped", "FENCED"]


class RingError(Exception):
    """What went wrong, in words; `errno` as the system would say it, or None."""

    def __init__(self, words, number=None):
        Exception.__init__(self, words)
        self.errno = number


class Lapped(RingError):
    """The writer overwrote the frame before it was copied. Not a fault: take a newer one."""


# ---- The layout: native/layout.json says the same for machines. ----------------------------------------------------------

_SEGMENT = (
    ("magic", "8s"), ("major", "H"), ("minor", "H"), ("header_bytes", "I"), ("total_bytes", "Q"), ("generation", "16s"),
    ("slots_offset", "Q"), ("slot_stride", "Q"), ("payload_capacity", "Q"), ("slot_count", "I"), ("slot_header_bytes", "I"),
    ("fields_offset", "I"), ("fields_capacity", "I"), ("payload_offset", "I"), ("descriptor_offset", "I"),
    ("descriptor_bytes", "I"), ("wake_mode", "I"), ("writer_pid", "I"), ("reserved_100", "I"), ("writer_start_utc_ns", "Q"),
    ("reserved_112", "16s"), ("latest", "Q"), ("wake", "I"), ("flags", "I"), ("reserved_144", "112s"))
_SLOT = (
    ("begin", "Q"), ("end", "Q"), ("device_time", "Q"), ("capture_time_ns", "Q"), ("time_error_ns", "Q"),
    ("publish_time_ns", "Q"), ("publish_utc_ns", "Q"), ("payload_bytes", "Q"), ("clock_epoch", "I"), ("fields_bytes", "I"),
    ("dimensions", "I"), ("reserved_76", "I"), ("shape", "8I"), ("reserved_112", "16s"))


def _offsets(table):
    formats = [kind for _, kind in table]
    return dict((name, struct.calcsize("<" + "".join(formats[:i]))) for i, (name, _) in enumerate(table))


def layout():
    """The offsets this file uses, {"segmentHeader": {name: bytes}, "slotHeader": {name: bytes}}."""
    return {"segmentHeader": _offsets(_SEGMENT), "slotHeader": _offsets(_SLOT)}


_Header = collections.namedtuple("_Header", [name for name, _ in _SEGMENT])
_HEADER = struct.Struct("<" + "".join(kind for _, kind in _SEGMENT))
_HEADER_BYTES, _SLOT_BYTES = 256, 128
_AT, _SLOT_AT = _offsets(_SEGMENT), _offsets(_SLOT)
# Words of 8 bytes: `latest`, and `hot`, which holds wake in its lower and flags in its upper half.
_LATEST, _HOT = _AT["latest"] // 8, _AT["wake"] // 8
_WAKE = _AT["wake"] // 4
_RETIRED, _RETIRED_IN_HOT = 1, 1 << 32
_CAPTURE = _SLOT_AT["capture_time_ns"] // 8

_MAGIC, _MAJOR, _MINOR = b"STREAMEM", 1, 0
_WAKE_NONE, _WAKE_FUTEX = 0, 1
_SLOTS_MIN, _SLOTS_MAX = 4, 65536
_DESCRIPTOR_MAX = _FIELDS_MAX = 65536
_DIMENSIONS_MAX = 8
_ALIGNMENT, _PAGE = 64, 4096
_UNKNOWN = 0xFFFFFFFFFFFFFFFF
_RETRIES = 8
_SLICE_S, _POLL_S = 0.5, 0.002
_SHM = "/dev/shm"

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q").unpack_from
_SIZES = struct.Struct("<56xQIII").unpack_from  # payload_bytes, clock_epoch, fields_bytes, dimensions
_SHAPE = struct.Struct("<80x8I").unpack_from
_META = struct.Struct("<6Q4I8I")  # device_time to shape

_monotonic = time.monotonic
_monotonic_ns = getattr(time, "monotonic_ns", None) or (lambda: int(time.monotonic() * 1e9))
_utc_ns = getattr(time, "time_ns", None) or (lambda: int(time.time() * 1e9))


# ---- The system: fences, futex, locks, files. ----------------------------------------------------------------------------

def _load_fence():
    """None where the order of plain loads and stores is enough, else libatomic's full fence, else None and FENCED False."""
    if platform.machine() in ("x86_64", "amd64"):
        return None, True
    try:
        fence = ctypes.CDLL("libatomic.so.1").atomic_thread_fence
    except (AttributeError, OSError):
        return None, False
    fence.argtypes, fence.restype = [ctypes.c_int], None
    return (lambda: fence(5)), True  # 5: memory_order_seq_cst


_fence, FENCED = _load_fence()

# The number of the system call where we know it; elsewhere we poll.
_FUTEX_CALL = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "loongarch64": 98, "ppc64le": 221}.get(platform.machine())


def _load_libc():
    if ctypes is None or _FUTEX_CALL is None or struct.calcsize("P") != 8:
        return None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        pointer, word, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
        libc.mmap.argtypes, libc.mmap.restype = [pointer, size, word, word, word, ctypes.c_long], pointer
        libc.munmap.argtypes, libc.munmap.restype = [pointer, size], word
        libc.syscall.argtypes = [ctypes.c_long, pointer, ctypes.c_long, ctypes.c_long, pointer, pointer, ctypes.c_long]
        libc.syscall.restype = ctypes.c_long
    except (AttributeError, OSError):
        return None
    return libc


_libc = _load_libc()


_MAP_FAILED = (1 << 64) - 1


class _Page(object):
    """The header's page, mapped read-only: the address that FUTEX_WAIT and FUTEX_WAKE need. We never touch it
    ourselves, so its owner may shrink the file: the kernel then answers EFAULT and nobody dies of SIGBUS."""

    def __init__(self, fd):
        start = _libc.mmap(None, _PAGE, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0) if _libc else None
        self.start = None if start == _MAP_FAILED else start

    def wait(self, wake, seconds):
        """Sleeps until the wake word is not `wake`, or `seconds` have passed, or a signal comes, or for no reason."""
        if self.start is None:
            time.sleep(min(seconds, _POLL_S))
            return
        limit = ctypes.create_string_buffer(struct.pack("qq", int(seconds), int(seconds % 1 * 1e9)))
        _libc.syscall(_FUTEX_CALL, self.start + _AT["wake"], 0, wake, ctypes.addressof(limit), None, 0)

    def wake(self):
        if self.start is not None:
            _libc.syscall(_FUTEX_CALL, self.start + _AT["wake"], 1, 0x7FFFFFFF, None, None, 0)

    def close(self, libc=_libc):
        start, self.start = self.start, None
        if start is not None:
            libc.munmap(start, _PAGE)

    __del__ = close


_OFD_GETLK, _OFD_SETLK = 36, 37
_RDLCK, _WRLCK, _UNLCK = 0, 1, 2


def _ofd_lock(fd, command, kind):
    flock = fcntl.fcntl(fd, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0))
    return struct.unpack("hhqqi4x", flock)[0]


def _try_lock(fd):
    """Takes the whole file's write lock: of the open file description, so that no other close() of the file drops it."""
    try:
        _ofd_lock(fd, _OFD_SETLK, _WRLCK)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _locked(fd):
    """Whether a writer holds this file. It only asks: taking the lock to find out would refuse honest starters."""
    return _ofd_lock(fd, _OFD_GETLK, _RDLCK) != _UNLCK


def _close(fd):
    if fd is not None and fd >= 0:
        os.close(fd)
    return -1


def _unlink(path):
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def _is_at(fd, path):
    """Whether fd is the file that now stands at path."""
    try:
        ours, there = os.fstat(fd), os.lstat(path)
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


_PREFIX_RULE = re.compile(r"[a-z0-9_-]{1,32}\Z")
_NAME_RULE = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\Z")


def _checked_names(prefix, name):
    if prefix is None:
        prefix = os.environ.get("STREAMEM_PREFIX") or "streamem"
    if not isinstance(prefix, str) or not _PREFIX_RULE.match(prefix):
        raise RingError("prefix %r: allowed are 1 to 32 of a-z 0-9 _ -" % (prefix,), errno.EINVAL)
    if not isinstance(name, str) or not _NAME_RULE.match(name):
        raise RingError("stream name %r: allowed are 1 to 63 of a-z 0-9 . _ -, a letter or digit first and last"
                        % (name,), errno.EINVAL)
    return prefix


def _numpy():
    """NumPy, or None where it is not installed. Imported at the first use: it takes longer than all else here."""
    global _numpy_module
    if _numpy_module is False:
        try:
            import numpy
        except ImportError:
            numpy = None
        _numpy_module = numpy
    return _numpy_module


_numpy_module = False


# ---- dtypes: NumPy's typestr ("<f4") or descr list ([["x", "<f4", [3]]]). ------------------------------------------------

_TYPESTR = re.compile(r"([<>|=]?)([biufcSVUmM])([0-9]{1,9})(\[[0-9A-Za-z]{1,8}\])?\Z")
_CODES = {"b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q",
          "f2": "e", "f4": "f", "f8": "d"}
_ITEM_MAX = 1 << 31
_KINDS = ("video", "depth", "audio", "imu", "pose", "message", "tensor")


def _is_shape(shape):
    return (isinstance(shape, (list, tuple)) and len(shape) <= _DIMENSIONS_MAX
            and all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1 << 32 for n in shape))


def _product(shape):
    count = 1
    for n in shape:
        count *= n
    return count


def _item_bytes(dtype, depth=0):
    """Bytes of one item, or None where we do not understand the dtype."""
    if isinstance(dtype, str):
        match = _TYPESTR.match(dtype)
        size = int(match.group(3)) * (4 if match.group(2) == "U" else 1) if match else 0
        return size if 0 < size < _ITEM_MAX else None
    if not isinstance(dtype, (list, tuple)) or not dtype or depth > 8:
        return None
    total = 0
    for member in dtype:
        if not isinstance(member, (list, tuple)) or len(member) not in (2, 3) or not isinstance(member[0], str):
            return None
        size = _item_bytes(member[1], depth + 1)
        shape = member[2] if len(member) == 3 else ()
        if size is None or not _is_shape(shape) or 0 in shape:
            return None
        total += size * _product(shape)
        if total >= _ITEM_MAX:
            return None
    return total


def _as_numpy_takes_it(dtype):
    """The descr list with tuples where numpy.dtype() wants them."""
    if isinstance(dtype, str):
        return dtype
    return [tuple([m[0], _as_numpy_takes_it(m[1])] + [tuple(s) for s in m[2:]]) for m in dtype]


def _as_json_takes_it(dtype):
    """A typestr with its byte order, or a descr list of lists, from these, or from a NumPy dtype."""
    if hasattr(dtype, "descr") and hasattr(dtype, "names"):
        dtype = dtype.descr if dtype.names else dtype.str
    if isinstance(dtype, str):
        match = _TYPESTR.match(dtype)
        if match and match.group(1) in ("", "=", "|"):
            single = match.group(2) in "SV" or match.group(3) == "1" and match.group(2) != "U"
            return ("|" if single else "<") + dtype.lstrip("=|")
        return dtype
    if isinstance(dtype, (list, tuple)):
        return [[m[0], _as_json_takes_it(m[1])] + [list(s) for s in m[2:]]
                if isinstance(m, (list, tuple)) and len(m) > 1 else m for m in dtype]
    return dtype


def _as_array(data, dtype, numpy_dtype, shape, strides=None):
    """data as an array of shape and dtype: NumPy's, else a memoryview of a simple native dtype, else None."""
    if numpy_dtype is not None:
        try:
            return _numpy().ndarray(shape, numpy_dtype, data, 0, strides)
        except (TypeError, ValueError, OverflowError, MemoryError):
            return None
    code = _CODES.get(dtype[1:]) if isinstance(dtype, str) and dtype[:1] in "<|" else None
    if code is None or strides is not None or not shape:  # PyPy aborts on the tolist() of a view without dimensions
        return None
    try:
        flat = memoryview(data)[:_product(shape) * struct.calcsize("<" + code)]
        return flat.cast(code, list(shape))
    except (TypeError, ValueError):  # an empty shape, or half floats before Python 3.12
        return None


def _nested(flat, shape):
    """The numbers of flat as one number, a list, or lists of lists, by shape."""
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return list(flat)
    step = len(flat) // shape[0] if shape[0] else 0
    return [_nested(flat[i * step:(i + 1) * step], shape[1:]) for i in range(shape[0])]


def _flat(value):
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [n for part in value for n in _flat(part)] if isinstance(value, (list, tuple)) else [value]


class _Field(object):
    """One entry of descriptor.fields: where its value lies in the metadata area and how to read and write it."""

    def __init__(self, entry):
        self.name, dtype, self.offset = entry["name"], entry["dtype"], entry["offset"]
        self.shape = tuple(entry.get("shape") or ())
        self.item = _item_bytes(dtype)
        if self.item is None or not _is_shape(self.shape) or not isinstance(self.name, str):
            raise ValueError("name, dtype or shape")
        if not isinstance(self.offset, int) or not 0 <= self.offset <= _FIELDS_MAX:
            raise ValueError("offset")
        count = _product(self.shape)
        self.end = self.offset + self.item * count
        code = _CODES.get(dtype[1:]) if isinstance(dtype, str) else None
        if self.end > _FIELDS_MAX:
            raise ValueError("size")
        self.struct = struct.Struct("%s%d%s" % (">" if dtype[0] == ">" else "<", count, code)) if code else None

    def read(self, raw):
        """A number, nested lists of numbers, or bytes; raw has at least `end` bytes."""
        if self.struct is None:
            return raw[self.offset:self.end]
        return _nested(self.struct.unpack_from(raw, self.offset), self.shape)

    def write(self, area, value):
        if self.struct is not None:
            self.struct.pack_into(area, self.offset, *_flat(value))
        elif len(value) == self.end - self.offset:
            area[self.offset:self.end] = value
        else:
            raise ValueError("%d bytes, not %d" % (len(value), self.end - self.offset))


def _read_fields(descriptor):
    fields = []
    for entry in descriptor.get("fields") or () if isinstance(descriptor.get("fields"), list) else ():
        try:
            fields.append(_Field(entry))
        except (AttributeError, KeyError, TypeError, ValueError, struct.error):
            continue  # of a later version, or damaged: the other fields can still be read
    return fields


# ---- References: a message says which frame it was computed from. --------------------------------------------------------

Reference = collections.namedtuple("Reference", "stream generation sequence capture_time_ns")
Reference.__doc__ = """A frame by its stream's name, the generation of its ring (32 hexadecimal digits), its sequence, and its
capture time (None: unknown). From Frame.refers_to; Writer.publish() takes one."""

_REFERENCE = struct.Struct("<QQ16s64s")
#: What a descriptor whose frames refer to others has first in `fields`; message streams have it by default.
REFERENCE_FIELDS = [
    {"name": "refers_to_sequence", "dtype": "<u8", "shape": [], "offset": 0},
    {"name": "refers_to_capture_time_ns", "dtype": "<u8", "shape": [], "offset": 8, "unit": "ns"},
    {"name": "refers_to_generation", "dtype": "|u1", "shape": [16], "offset": 16},
    {"name": "refers_to_stream", "dtype": "|u1", "shape": [64], "offset": 32}]


_REFERENCE_PLACES = set((f["name"], f["offset"], _Field(f).end) for f in REFERENCE_FIELDS)


def _can_refer(fields):
    """Whether the four are among a descriptor's fields, at their places."""
    return _REFERENCE_PLACES <= set((field.name, field.offset, field.end) for field in fields)


def _read_reference(raw):
    """The Reference in a metadata area, else None: whatever a writer put there is no error."""
    if len(raw) < _REFERENCE.size:
        return None
    sequence, capture_time_ns, generation, name = _REFERENCE.unpack_from(raw)
    name = name.rstrip(b"\0").decode("latin-1")
    if not sequence or not _NAME_RULE.match(name):
        return None
    return Reference(name, binascii.hexlify(generation).decode(), sequence,
                     None if capture_time_ns == _UNKNOWN else capture_time_ns)


def _reference_bytes(reference):
    """ValueError, TypeError where it is no frame that can be."""
    stream, generation, sequence, capture_time_ns = reference
    if not isinstance(stream, str) or not _NAME_RULE.match(stream):
        raise ValueError("%r is no stream's name" % (stream,))
    generation = binascii.unhexlify(generation)
    if len(generation) != 16 or not 1 <= sequence < _UNKNOWN:
        raise ValueError("a generation has 32 hexadecimal digits, a sequence is 1 or more")
    return _REFERENCE.pack(sequence, _UNKNOWN if capture_time_ns is None else capture_time_ns, generation,
                           stream.encode("ascii"))


# ---- One mapped ring: nothing in the file is trusted before it is checked. -----------------------------------------------

def _check_header(raw, file_bytes, where):
    """The header in 256 raw bytes, if every offset and size in it keeps a reader inside the file."""
    if len(raw) >= 8 and raw[:8] != _MAGIC:
        raise RingError("%s is not a ring: its magic is not STREAMEM" % where, errno.EBADMSG)
    if len(raw) < _HEADER_BYTES:
        raise RingError("%s is truncated: %d bytes, a ring's header has %d" % (where, len(raw), _HEADER_BYTES), errno.EBADMSG)
    h = _Header._make(_HEADER.unpack(raw))
    if h.major != _MAJOR:
        raise RingError("%s has layout version %d.%d, this reader knows major version %d: update the older side"
                        % (where, h.major, h.minor, _MAJOR), errno.EPROTO)
    rules = (
        (h.header_bytes >= _HEADER_BYTES, "header_bytes >= 256"),
        (_SLOTS_MIN <= h.slot_count <= _SLOTS_MAX, "4 <= slot_count <= 65536"),
        (h.slot_header_bytes >= _SLOT_BYTES, "slot_header_bytes >= 128"),
        (h.fields_offset >= h.slot_header_bytes, "fields_offset >= slot_header_bytes"),
        (h.fields_offset % 8 == 0, "fields_offset % 8 == 0"),
        (h.fields_capacity <= _FIELDS_MAX, "fields_capacity <= 65536"),
        (h.fields_offset + h.fields_capacity <= h.payload_offset, "fields_offset + fields_capacity <= payload_offset"),
        (h.payload_offset % _ALIGNMENT == 0, "payload_offset % 64 == 0"),
        (h.payload_offset + h.payload_capacity <= h.slot_stride, "payload_offset + payload_capacity <= slot_stride"),
        (h.slot_stride % _ALIGNMENT == 0, "slot_stride % 64 == 0"),
        (h.slots_offset % _ALIGNMENT == 0, "slots_offset % 64 == 0"),
        (h.descriptor_offset >= h.header_bytes, "descriptor_offset >= header_bytes"),
        (h.descriptor_bytes <= _DESCRIPTOR_MAX, "descriptor_bytes <= 65536"),
        (h.descriptor_offset + h.descriptor_bytes <= h.slots_offset, "descriptor_offset + descriptor_bytes <= slots_offset"),
        (h.slots_offset + h.slot_count * h.slot_stride <= h.total_bytes,
         "slots_offset + slot_count * slot_stride <= total_bytes"))
    for kept, rule in rules:
        if not kept:
            raise RingError("%s is damaged: its header breaks %s" % (where, rule), errno.EBADMSG)
    if file_bytes < h.total_bytes:
        raise RingError("%s is truncated: %d bytes, total_bytes is %d" % (where, file_bytes, h.total_bytes), errno.EBADMSG)
    return h


def _check_descriptor(raw, where):
    try:
        descriptor = json.loads(raw.decode("utf-8"))
    except (ValueError, RuntimeError) as error:  # a RuntimeError: nested too deep
        raise RingError("%s: its descriptor is not JSON in UTF-8: %s" % (where, error), errno.EBADMSG)
    if not isinstance(descriptor, dict):
        raise RingError("%s: its descriptor is not a JSON object" % where, errno.EBADMSG)
    return descriptor


_uncollected = 0


def _mapping_let_go():
    """An interpreter that does not count references (PyPy) closes a mapping's descriptor when it next collects garbage, and
    does not know that descriptors are scarce: a process that opens and closes many readers would run out of them."""
    global _uncollected
    _uncollected += 1
    if _uncollected >= 100 and not hasattr(sys, "getrefcount"):
        _uncollected = 0
        gc.collect()


class _Ring(object):
    """One generation, mapped read-only. Frames refer to it, so that it stays mapped for as long as one is held."""

    __slots__ = ("fd", "map", "view", "words", "page", "where", "generation", "slot_count", "window", "first", "stride",
                 "fields_offset", "fields_capacity", "payload_offset", "payload_capacity", "polled", "start_utc_ns",
                 "descriptor", "name", "dtype", "item", "shape", "strides", "rate", "_fields", "_numpy_dtype")

    def __init__(self, fd, where):
        """Takes fd: on failure it is closed."""
        self.fd = fd
        self.where = where
        try:
            self._open()
        except RingError:
            self.let_go()
            raise
        except (OSError, ValueError, OverflowError, MemoryError) as error:
            self.let_go()
            raise RingError("%s cannot be mapped: %s" % (where, error), getattr(error, "errno", None))

    def _open(self):
        status = os.fstat(self.fd)
        if not stat.S_ISREG(status.st_mode):
            raise RingError("%s is not a file" % self.where, errno.EBADMSG)
        h = _check_header(os.pread(self.fd, _HEADER_BYTES, 0), status.st_size, self.where)
        self._describe(_check_descriptor(os.pread(self.fd, h.descriptor_bytes, h.descriptor_offset), self.where))
        self.map = mmap.mmap(self.fd, h.total_bytes, access=mmap.ACCESS_READ)
        if hasattr(self.map, "madvise") and status.st_blocks * 512 >= h.total_bytes:
            try:
                self.map.madvise(22)  # MADV_POPULATE_READ: the first frames then cost what later ones do
            except OSError:
                pass  # before Linux 5.14
        self.view = memoryview(self.map)
        self.words = self.view[:h.total_bytes & ~7].cast("Q")
        self.page = _Page(self.fd)
        self.generation = binascii.hexlify(h.generation).decode()
        self.slot_count, self.window = h.slot_count, h.slot_count - 1
        self.first, self.stride = h.slots_offset >> 3, h.slot_stride >> 3
        self.fields_offset, self.fields_capacity = h.fields_offset, h.fields_capacity
        self.payload_offset, self.payload_capacity = h.payload_offset, h.payload_capacity
        self.polled = h.wake_mode != _WAKE_FUTEX
        self.start_utc_ns = h.writer_start_utc_ns

    def _describe(self, descriptor):
        self.descriptor = descriptor
        self.name = descriptor.get("name", self.where)
        self.dtype = descriptor.get("dtype")
        self.item = _item_bytes(self.dtype)
        shape, strides, rate = descriptor.get("shape"), descriptor.get("strides"), descriptor.get("rate")
        self.shape = tuple(shape) if _is_shape(shape) else None
        ints = isinstance(strides, list) and all(isinstance(n, int) and abs(n) < 1 << 62 for n in strides)
        self.strides = tuple(strides) if ints and self.shape is not None and len(strides) == len(self.shape) else None
        self.rate = rate if isinstance(rate, (int, float)) and 0 < rate < 1e9 else None
        self._fields = self._numpy_dtype = None

    @property
    def fields(self):
        if self._fields is None:
            self._fields = _read_fields(self.descriptor)
        return self._fields

    @property
    def refers(self):
        return _can_refer(self.fields)

    @property
    def numpy_dtype(self):
        """The dtype as NumPy's, None without NumPy or where it refuses it."""
        if self._numpy_dtype is None and self.item is not None and _numpy() is not None:
            try:
                self._numpy_dtype = _numpy().dtype(_as_numpy_takes_it(self.dtype))
            except (TypeError, ValueError, OverflowError, MemoryError):
                return None
        return self._numpy_dtype

    def read(self, seq):
        """Frame seq with its own copy of slot header and fields, or None where it is not, or no longer, whole."""
        words = self.words
        at = self.first + seq % self.slot_count * self.stride
        if words[at + 1] != seq:  # end: written later than all else
            return None
        if _fence:
            _fence()
        start = at << 3
        head = self.map[start:start + _SLOT_BYTES]
        payload_bytes, _, fields_bytes, dimensions = _SIZES(head)
        fields = b""
        if fields_bytes:
            fields = start + self.fields_offset
            fields = self.map[fields:fields + min(fields_bytes, self.fields_capacity)]
        if _fence:
            _fence()
        if words[at] != seq:  # begin: written before all else
            return None
        if payload_bytes > self.payload_capacity or fields_bytes > self.fields_capacity:
            return None
        shape = self.shape
        if dimensions:
            if dimensions > _DIMENSIONS_MAX:
                return None
            shape = _SHAPE(head)[:dimensions]
            if _product(shape) * (self.item or 1) > payload_bytes:
                return None
        return Frame(self, seq, at, head, fields, payload_bytes, shape)

    def read_newest(self):
        """The newest frame; None where there is none yet, or the writer overtook every attempt."""
        for _ in range(_RETRIES):
            seq = self.words[_LATEST]
            if not seq:
                return None
            frame = self.read(seq)
            if frame is not None:
                return frame
        return None

    def retired(self):
        return self.words[_HOT] & _RETIRED_IN_HOT != 0

    def alive(self):
        return _locked(self.fd)

    def unlinked(self):
        return os.fstat(self.fd).st_nlink == 0

    def let_go(self):
        """Closes the file; the mapping, which has a descriptor of its own, goes with the last frame that refers to it."""
        self.fd = _close(self.fd)
        _mapping_let_go()

    def __del__(self, _close=_close):
        self.fd = _close(self.fd)


# ---- A frame. ------------------------------------------------------------------------------------------------------------

def _slot_time(name, meaning):
    offset = _SLOT_AT[name]

    def read(self):
        value = _U64(self._head, offset)[0]
        return None if value == _UNKNOWN else value
    return property(read, doc=meaning)


class Frame(object):
    """One frame. Its numbers and fields are its own, copied and checked; data and array are views into the ring.

    The writer overwrites the payload slots - 1 publishes later. Ask valid() after the last use of a view, or take copy().
    """

    __slots__ = ("_ring", "_at", "_head", "fields_data", "seq", "missed", "nbytes", "shape")

    def __init__(self, ring, seq, at, head, fields, nbytes, shape):
        self._ring = ring
        self.seq = seq  #: sequence, from 1 in each generation
        self._at = at
        self._head = head
        self.fields_data = fields  #: the raw bytes of the per-frame fields
        self.nbytes = nbytes  #: bytes of the payload
        self.shape = shape  #: in C order: the frame's own, else the descriptor's
        self.missed = 0  #: frames published between the one given before and this one

    device_time = _slot_time("device_time", "The device's own ticks (descriptor['clock'] names their unit); None: unknown.")
    capture_time_ns = _slot_time("capture_time_ns", "That instant on CLOCK_MONOTONIC, ns; None: unknown.")
    time_error_ns = _slot_time("time_error_ns", "Bound of the error of capture_time_ns, ns; None: unknown.")
    publish_time_ns = _slot_time("publish_time_ns", "When the writer published it, CLOCK_MONOTONIC, ns.")
    publish_utc_ns = _slot_time("publish_utc_ns", "The same instant on CLOCK_REALTIME, ns since 1970.")

    @property
    def clock_epoch(self):
        """Grows when the device's clock was reset."""
        return _SIZES(self._head)[1]

    @property
    def age_ns(self):
        """ns since it was captured; since it was published where the capture time is unknown."""
        since = self.capture_time_ns
        return _monotonic_ns() - (since if since is not None else self.publish_time_ns)

    @property
    def generation(self):
        """Which ring it came from, 32 hexadecimal digits. Sequences of two generations do not compare."""
        return self._ring.generation

    @property
    def stream(self):
        """The name of its stream."""
        return self._ring.name

    @property
    def refers_to(self):
        """The Reference to the frame that this one was computed from; None where it names none."""
        return _read_reference(self.fields_data) if self._ring.refers else None

    @property
    def dimensions(self):
        """How many dimensions the frame itself states; 0 where the descriptor's shape holds."""
        return _SIZES(self._head)[3]

    @property
    def dtype(self):
        """The typestr, or the descr list, as numpy.dtype() takes it."""
        return _as_numpy_takes_it(self._ring.dtype) if self._ring.item is not None else self._ring.dtype

    @property
    def fields(self):
        """The per-frame metadata by name: numbers, nested lists, or bytes. What this frame does not have is left out."""
        return dict((field.name, field.read(self.fields_data)) for field in self._ring.fields
                    if field.end <= len(self.fields_data))

    @property
    def data(self):
        """The payload: a read-only memoryview of nbytes bytes, no copy."""
        ring = self._ring
        start = (self._at << 3) + ring.payload_offset
        return ring.view[start:start + self.nbytes]

    @property
    def array(self):
        """The payload as a read-only array of shape and dtype, no copy.

        With NumPy an ndarray. Without it a memoryview cast to a simple little-endian dtype; None for records, strides and an
        empty shape. None also where the payload holds fewer bytes than shape and dtype ask for.
        """
        ring, shape = self._ring, self.shape
        if shape is None or ring.item is None:
            return None
        if _product(shape) * ring.item > self.nbytes:
            return None
        strides = ring.strides if shape is ring.shape else None
        return _as_array(self.data, ring.dtype, ring.numpy_dtype, shape, strides)

    def valid(self):
        """Whether the views are still whole. A yes covers everything that was read from them before it."""
        if _fence:
            _fence()
        return self._ring.words[self._at] == self.seq

    def copy(self, out=None):
        """An owned, checked copy.

        Without `out`: a writable ndarray of shape and dtype where NumPy is installed (messages: bytes), else bytes. With
        `out` (anything writable and contiguous: an ndarray, a bytearray, a pinned torch tensor) the payload is put into its
        first nbytes bytes, with no allocation, and out is returned. Raises Lapped where the frame was overwritten first
        (out then holds rubbish), and RingError where out is too small.
        """
        if out is not None:
            self._copy_into(out)
        else:
            out = self._own_copy()
        return self._checked(out)

    def _checked(self, out):
        if not self.valid():
            raise Lapped("stream %s: frame %d was overwritten before it was copied; take a newer one, copy sooner, or give "
                         "the stream more slots (it has %d)" % (self._ring.name, self.seq, self._ring.slot_count), errno.ESTALE)
        return out

    def _own_copy(self, as_array=True):
        wanted = as_array and _numpy() is not None and self._ring.descriptor.get("kind") != "message"
        view = self.array if wanted else None
        try:
            if view is not None:
                return _numpy().array(view)
            start = (self._at << 3) + self._ring.payload_offset
            return self._ring.map[start:start + self.nbytes]
        except MemoryError:
            raise RingError("stream %s: no memory for the %d bytes of frame %d" % (self._ring.name, self.nbytes, self.seq),
                            errno.ENOMEM)

    def _copy_into(self, out):
        try:
            room = _bytes_of(out.numpy() if hasattr(out, "numpy") else out)
        except (TypeError, ValueError, RuntimeError) as error:  # a RuntimeError: a torch tensor that keeps gradients
            raise RingError("out, a %s, is no contiguous memory: %s" % (type(out).__name__, error), errno.EINVAL)
        if room.readonly or len(room) < self.nbytes:
            has = "read-only" if room.readonly else "%d bytes" % len(room)
            raise RingError("out is %s; frame %d of stream %s needs %d writable bytes"
                            % (has, self.seq, self._ring.name, self.nbytes), errno.ENOSPC)
        room[:self.nbytes] = self.data

    def message(self):
        """The payload of a message stream, decoded and checked: for `json` the value, for `utf8` a str, else bytes."""
        raw, encoding = self._checked(self._own_copy(as_array=False)), self._ring.descriptor.get("encoding")
        try:
            if encoding == "json":
                return json.loads(raw.decode("utf-8"))
            return raw.decode("utf-8") if encoding == "utf8" else raw
        except (ValueError, RuntimeError) as error:  # a RuntimeError: nested too deep
            raise RingError("stream %s: frame %d is not %s: %s" % (self._ring.name, self.seq, encoding, error), errno.EBADMSG)

    def __repr__(self):
        return "<Frame %s %d %s %s>" % (self._ring.name, self.seq, self.shape, self._ring.dtype)


def _bytes_of(data):
    """A flat memoryview of the bytes of contiguous memory. TypeError, ValueError where it is none."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(data, numpy.ndarray):
        if not data.flags.c_contiguous:
            raise ValueError("it is not C-contiguous")
        data = data.reshape(-1).view(numpy.uint8) if data.nbytes else b""  # records have no format memoryview can cast
    view = memoryview(data)
    return view.cast("B") if view.nbytes else memoryview(bytearray())


Stack = collections.namedtuple("Stack", "array seqs")
Stack.__doc__ = """array: (n, *shape), oldest first, one's own. seqs: the sequence of each. From Reader.stack()."""


# ---- The doorbell: something an event loop can wait on. ------------------------------------------------------------------

_BELL_MAGIC = b"SMBELL01"
_Link = collections.namedtuple("_Link", "socket generation bell ring")


def _connect(path):
    """The doorbell at path hands out its generation, a descriptor readable at each publish, and the ring, read-only: a
    _Link. None where there is no doorbell, or it is full."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    received = array.array("i")
    try:
        peer.settimeout(1.0)
        peer.connect(path)
        message, control, _, _ = peer.recvmsg(64, socket.CMSG_SPACE(4 * 4), 0x40000000)  # MSG_CMSG_CLOEXEC
        for level, kind, data in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received.frombytes(data[:len(data) & ~3])
        if len(received) == 2 and len(message) == 24 and message[:8] == _BELL_MAGIC:
            peer.settimeout(0)
            for fd in received:
                fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
            return _Link(peer, binascii.hexlify(message[8:]).decode(), received[0], received[1])
    except (OSError, ValueError):
        pass  # not there, not a doorbell, not answering
    for fd in received:
        os.close(fd)
    peer.close()
    return None


def _doorbells(path, wake):
    """Where the doorbell of the ring at path may be. STREAMEM_DIR, if set, is the only place."""
    own, session = os.environ.get("STREAMEM_DIR"), os.environ.get("XDG_RUNTIME_DIR")
    name = os.path.basename(path) + ".sock"
    if own:
        return [os.path.join(own, name)]
    folders = [os.path.join(session, "streamem")] if session else []
    folders += ["/run/streamem", "/tmp/streamem-%d" % os.geteuid()]
    return ([wake] if isinstance(wake, str) and wake else []) + [os.path.join(folder, name) for folder in folders]


class _Feeder(threading.Thread):
    """Waits on a ring's futex where there is no doorbell, and writes into a pipe: at each wake-up, and twice a second so
    that its reader looks whether the writer lives. Once the ring is retired: soon, then ever more seldom."""

    def __init__(self, ring, pipe):
        threading.Thread.__init__(self, name="streamem " + str(ring.name))
        self.daemon = True
        self._ring, self._pipe, self._stopped = ring, os.dup(pipe), False

    def run(self):
        try:
            self._feed(self._ring, _POLL_S)
        finally:
            os.close(self._pipe)  # its own, so that it never writes to a number that belongs to another file by now

    def _feed(self, ring, pause):
        while not self._stopped:
            before, newest = ring.words[_HOT], ring.words[_LATEST]  # first: what comes after the bell must end the wait
            _write_byte(self._pipe)
            if before & _RETIRED_IN_HOT:
                time.sleep(pause)
                pause = min(pause * 2, _SLICE_S)
            elif ring.polled or ring.page.start is None:
                self._poll(ring, before, newest)
            else:
                ring.page.wait(before & 0xFFFFFFFF, _SLICE_S)

    def _poll(self, ring, before, newest):
        deadline = _monotonic() + _SLICE_S
        while not self._stopped and _monotonic() < deadline:
            if ring.words[_HOT] != before or ring.words[_LATEST] != newest:
                return
            time.sleep(_POLL_S)

    def stop(self):
        self._stopped = True
        self._ring.page.wake()


def _write_byte(pipe):
    try:
        os.write(pipe, b"\0")
    except (BlockingIOError, BrokenPipeError):
        pass  # full: it is readable already; or nobody reads any more


class _Bell(object):
    """What fileno() gives: an epoll descriptor, the same for the reader's life, over a pipe and, while there is a
    doorbell, its socket and the descriptor received from it. Without a doorbell a _Feeder writes into the pipe."""

    def __init__(self, ring, path):
        self.pid = os.getpid()
        self._pipe, self._pipe_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll = select.epoll()
        self._epoll.register(self._pipe, select.EPOLLIN)
        self._link = self._feeder = None
        self.attach(ring, path)

    def fileno(self):
        return self._epoll.fileno()

    def attach(self, ring, path):
        """Listens to this ring from now on, and rings once: it may hold frames already."""
        self._detach()
        for candidate in [] if ring.retired() else _doorbells(path, ring.descriptor.get("wake")):
            link = _connect(candidate)
            if link is None:
                continue
            os.close(link.ring)
            if link.generation == ring.generation:
                self._listen(link)
                break
            link.socket.close()
            os.close(link.bell)
        if self._link is None:
            self._feeder = _Feeder(ring, self._pipe_in)
            self._feeder.start()
        _write_byte(self._pipe_in)

    def _listen(self, link):
        fcntl.fcntl(link.bell, fcntl.F_SETFL, os.O_NONBLOCK)  # else a foreign writer could keep us in read()
        self._epoll.register(link.socket.fileno(), select.EPOLLIN)
        self._epoll.register(link.bell, select.EPOLLIN)
        self._link = link

    def _detach(self):
        link, self._link = self._link, None
        if self._feeder is not None:
            self._feeder.stop()
            self._feeder = None
        if link is not None:
            self._epoll.unregister(link.socket.fileno())
            self._epoll.unregister(link.bell)
            link.socket.close()
            os.close(link.bell)

    def clear(self, ring):
        """Makes the descriptor unreadable before the ring is looked at: what comes later makes it readable again.
        True where the connection has ended: the generation has, too."""
        if self.pid != os.getpid():
            return False  # a forked child's copy: the parent's bells are not ours to clear
        _drain(self._pipe)
        if self._link is None:
            return False
        _drain(self._link.bell)
        try:
            ended = not self._link.socket.recv(64)
        except BlockingIOError:
            ended = False
        except OSError:
            ended = True
        if ended:
            self._detach()
            self._feeder = _Feeder(ring, self._pipe_in)  # until the successor is there
            self._feeder.start()
        return ended

    def close(self):
        if self.pid == os.getpid():
            self._detach()
        elif self._link is not None:  # in a child: its copies only, the parent's epoll keeps its members
            self._link.socket.close()
            os.close(self._link.bell)
        self._epoll.close()
        self._pipe, self._pipe_in = _close(self._pipe), _close(self._pipe_in)


def _drain(fd):
    try:
        for _ in range(4096):  # a foreign writer that never stops writing does not hold us up
            if not os.read(fd, 64):
                return
    except OSError:
        pass  # EAGAIN: empty


# ---- A reader. -----------------------------------------------------------------------------------------------------------

def open(name, timeout=0, prefix=None):
    """A Reader of the stream of that name, or of the ring at that path where the name contains a slash.

    Waits for it up to `timeout` seconds (None: for ever). prefix: else $STREAMEM_PREFIX, else "streamem". Raises RingError:
    not there, not ours to read, no ring, truncated, damaged, of a newer major version.
    """
    return Reader(name, timeout, prefix)


class Reader(object):
    """Reads one stream, and follows its writer through restarts by itself. Iterating gives next() for ever."""

    def __init__(self, name, timeout=0, prefix=None):
        self._ring = self._bell = None
        self.name = name
        self._by_name = "/" not in name if isinstance(name, str) else True
        self._path = "%s/%s.%s" % (_SHM, _checked_names(prefix, name), name) if self._by_name else name
        self._given = 0  # sequence given last in this generation
        self._started = False  # whether any frame was given, in this generation or before
        self._carried = 0  # frames of ended generations that nobody will get
        self.missed = 0  #: frames published but not given, in all
        self._history = None  # (seq, shape, bytes) of the frames taken, once stack() was asked
        self._look_at, self._pause = 0.0, _POLL_S
        deadline = _deadline(timeout)
        while True:
            self._ring = self._open_ring()
            if self._ring is not None:
                break
            if _monotonic() >= deadline:
                raise RingError("there is no stream %s (%s)%s" % (name, self._path, _what_there_is(prefix)), errno.ENOENT)
            time.sleep(min(0.01, max(0.0, deadline - _monotonic())))
        self._look_at = _monotonic() + _SLICE_S

    # What it is.

    @property
    def descriptor(self):
        """The stream's description, a dict; see the contract for its members. It changes only with the generation."""
        return self._current().descriptor

    @property
    def generation(self):
        """The id of the ring being read, 32 hexadecimal digits."""
        return self._current().generation

    @property
    def state(self):
        """"live", "stalled" (no frame for max(2 s, 5 periods) where the rate is known), "dead" (its writer is gone without
        a word) or "retired" (its writer ended it); the latter two only while there is no successor."""
        ring = self._current()
        if ring.retired() or not ring.alive():
            self._look_at = 0.0
            ring = self._current()
        if ring.retired():
            return "retired"
        if not ring.alive():
            return "dead"
        if ring.rate is None:
            return "live"
        frame = ring.read_newest()
        age_ns = _utc_ns() - ring.start_utc_ns if frame is None else _monotonic_ns() - frame.publish_time_ns
        return "stalled" if age_ns > max(2e9, 5e9 / ring.rate) else "live"

    # The verbs.

    def latest(self):
        """The newest frame; None: nothing published yet, or the writer overtook eight attempts. Never waits, may repeat."""
        if self._bell is not None:
            self._clear_bell()
        ring = self._ring
        if ring is None or ring.words[_HOT] & _RETIRED_IN_HOT or _monotonic() >= self._look_at:
            ring = self._current()
        seq = ring.words[_LATEST]
        frame = ring.read(seq) if seq else None
        if frame is None:
            frame = ring.read_newest()
            if frame is None:
                return None
        if frame.seq > self._given:
            self._give(frame)
        return frame

    def newest(self, timeout=None):
        """The newest frame not given yet; waits for it up to `timeout` seconds, then None. What a model wants in its loop."""
        return self._take(timeout, False)

    def next(self, timeout=None):
        """The frame after the one given last (at first: the newest); waits up to `timeout` seconds, then None.

        When the writer has overtaken this reader it goes on at the newest. frame.missed says how many were left out.
        What an ended generation still holds comes before the first frame of its successor.
        """
        return self._take(timeout, True)

    def last(self, n):
        """The newest n frames still in the ring, oldest first, as a list (shorter while there are fewer)."""
        ring = self._current()
        if not isinstance(n, int) or not 1 <= n <= ring.window:
            raise RingError("last(%r): stream %s has %d slots, so 1 to %d frames can be asked for; its setting `slots` is how "
                            "to keep more" % (n, ring.name, ring.slot_count, ring.window), errno.ERANGE)
        newest = ring.words[_LATEST]
        frames = [ring.read(seq) for seq in range(max(1, newest - n + 1), newest + 1)]
        return [frame for frame in frames if frame is not None]

    def stack(self, n):
        """The newest n frames that this reader has taken: Stack(array, seqs), array of shape (n, ...) and one's own.

        Takes the newest frame itself. The first call fills from the ring, as far as that goes (slots - 1); beyond, it fills
        as frames are taken by any verb. All frames have the shape of the newest; those of another are left out. None before
        the first frame. Without NumPy the array is a memoryview, of bytes (n, frame bytes) for records.
        """
        if not isinstance(n, int) or n < 1:
            raise RingError("stack(%r): n is a number of frames, 1 or more" % (n,), errno.EINVAL)
        ring = self._current()
        if self._history is None or self._history.maxlen < n:
            self._history = collections.deque(maxlen=n)
            newest = ring.words[_LATEST]
            for seq in range(max(1, newest - min(n, ring.window) + 1), newest + 1):
                frame = ring.read(seq)
                if frame is not None and seq > self._given:
                    self._give(frame)
                elif frame is not None:
                    self._remember(frame)
        else:
            self.latest()
            ring = self._ring
        return self._stacked(ring, n)

    def nearest(self, t_ns):
        """The frame in the ring whose capture time is nearest to t_ns (CLOCK_MONOTONIC, ns); of two as near the newer. None
        where no frame has a capture time."""
        ring = self._current()
        for _ in range(_RETRIES):
            newest, best, distance = ring.words[_LATEST], 0, None
            for seq in range(max(1, newest - ring.window + 1), newest + 1):
                at = ring.first + seq % ring.slot_count * ring.stride
                if ring.words[at + 1] != seq:
                    continue
                time_ns = ring.words[at + _CAPTURE]
                if ring.words[at] == seq and time_ns != _UNKNOWN and (distance is None or abs(time_ns - t_ns) <= distance):
                    best, distance = seq, abs(time_ns - t_ns)
            frame = ring.read(best) if best else None
            if frame is not None or not best:
                return frame
        return None

    def fileno(self):
        """A descriptor for select, epoll and asyncio, the same for the reader's life: readable when there may be news.

        Then call latest(), newest(0) or next(0): they make it unreadable again once there is nothing left to give. While no
        doorbell is connected it is also readable twice a second for nothing, so that a restart is seen.
        """
        ring = self._current()
        if self._bell is None or self._bell.pid != os.getpid():
            self._drop_bell()
            self._bell = _Bell(ring, self._path)
        return self._bell.fileno()

    def close(self):
        """Ends reading. Frames already given stay as they are."""
        self._drop_bell()
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.let_go()

    def __iter__(self):
        return self

    def __next__(self):
        if self._ring is None:
            raise StopIteration
        return self.next()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_bell", None) is not None:
            self.close()

    def __repr__(self):
        return "<Reader %s%s>" % (self.name, "" if self._ring is not None else ", closed")

    # How it does that.

    def _take(self, timeout, in_order):
        deadline = _deadline(timeout)
        if not in_order:  # next() first reads what is left, in this ring and in one that has ended
            if self._bell is not None:
                self._clear_bell()
            self._current()
        cleared = False
        while True:
            ring = self._open_one()
            hot = ring.words[_HOT]  # before latest: a frame between the two then ends the wait at once
            newest = ring.words[_LATEST]
            if newest > self._given:
                frame = None
                after = self._given + 1
                if in_order and self._started and newest - after < ring.window:
                    frame = ring.read(after)
                if frame is None:
                    frame = ring.read_newest()
                if frame is not None and frame.seq > self._given:
                    return self._give(frame)
            if self._bell is not None and not cleared:  # nothing to give: from here on a publish makes it readable
                self._clear_bell()
                cleared = True
                continue
            if self._current(newest) is not ring or ring.retired() and ring.words[_LATEST] != newest:
                continue
            if not self._wait(ring, hot, deadline):
                return None
            cleared = False

    def _wait(self, ring, hot, deadline):
        """Sleeps until there may be news, at most half a second. False once the deadline has passed."""
        left = min(_SLICE_S, deadline - _monotonic())
        if left <= 0:
            return False
        if hot & _RETIRED_IN_HOT:
            time.sleep(min(left, self._pause))
        elif ring.polled:
            time.sleep(min(left, _POLL_S))
        else:
            ring.page.wait(hot & 0xFFFFFFFF, left)
        return True

    def _give(self, frame):
        if self._started:
            frame.missed = frame.seq - self._given - 1 + self._carried
            self.missed += frame.missed
        self._carried = 0
        self._started = True
        self._given = frame.seq
        if self._history is not None:
            self._remember(frame)
        return frame

    def _remember(self, frame):
        data = frame._own_copy(as_array=False)
        if frame.valid():
            self._history.append((frame.seq, frame.shape, data))

    def _stacked(self, ring, n):
        taken = list(self._history)[-n:]
        if not taken:
            return None
        _, shape, like = taken[-1]
        taken = [item for item in taken if item[1] == shape and len(item[2]) == len(like)]
        data = bytearray().join([item[2] for item in taken])
        whole = None
        if shape is not None and ring.item is not None and _product(shape) * ring.item == len(like):
            whole = _as_array(data, ring.dtype, ring.numpy_dtype, (len(taken),) + shape)
        if whole is None:
            whole = memoryview(data).cast("B", [len(taken), len(like)]) if like else memoryview(data)
        return Stack(whole, [item[0] for item in taken])

    def _open_one(self):
        if self._ring is None:
            raise RingError("this reader of %s is closed" % self.name, errno.EBADF)
        return self._ring

    def _current(self, looked=None):
        """The ring to read from: that of a successor where the writer has ended or died and one is there. It looks twice
        a second; once the ring is retired at once, then ever more seldom. `looked`: the newest sequence that the caller has
        dealt with; what was published between his look and the end comes before the successor."""
        ring, now = self._open_one(), _monotonic()
        retired = ring.retired()
        if now < self._look_at and not (retired and self._pause == _POLL_S):
            return ring
        self._pause = min(self._pause * 2, 0.1) if retired else _POLL_S
        self._look_at = now + (self._pause if retired else _SLICE_S)
        if not retired and ring.alive() and not ring.unlinked():
            return ring
        successor = self._open_ring()
        if successor is None or successor.generation == ring.generation:
            return ring
        if looked is not None and ring.words[_LATEST] != looked:
            self._look_at = 0.0
            return ring
        if self._started:
            self._carried += max(0, ring.words[_LATEST] - self._given)
        self._ring, self._given = successor, 0
        if self._history is not None:
            self._history.clear()  # one stack never mixes two generations
        self._look_at, self._pause = now + _SLICE_S, _POLL_S
        ring.let_go()
        if self._bell is not None and self._bell.pid == os.getpid():
            self._bell.attach(successor, self._path)
        return successor

    def _open_ring(self):
        """What now stands under the name, in /dev/shm or, in a container without it, behind the doorbell; else None."""
        try:
            no_links = os.O_NOFOLLOW if self._by_name else 0
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | no_links)
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) != errno.ENOENT:
                remedy = "; the hub's setting `group` shares streams" if getattr(error, "errno", None) == errno.EACCES else ""
                raise RingError("%s cannot be opened: %s%s" % (self._path, error, remedy), getattr(error, "errno", None))
            fd = self._ring_from_doorbell() if self._by_name else None
        return None if fd is None else _Ring(fd, self._path)

    def _ring_from_doorbell(self):
        for path in _doorbells(self._path, self._ring and self._ring.descriptor.get("wake")):
            link = _connect(path)
            if link is not None:
                link.socket.close()
                os.close(link.bell)
                return link.ring
        return None

    def _clear_bell(self):
        if self._ring is not None and self._bell.clear(self._ring):
            self._look_at = 0.0

    def _drop_bell(self):
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.close()


def _deadline(timeout):
    return float("inf") if timeout is None else _monotonic() + timeout


def _what_there_is(prefix):
    names = streams(prefix)
    return "; there are: " + ", ".join(names) if names else "; there is no stream at all: is the hub running?"


def streams(prefix=None):
    """The names of the streams in /dev/shm, sorted; no hub is needed for that."""
    start = _checked_names(prefix, "x") + "."
    return sorted(entry[len(start):] for entry in os.listdir(_SHM)
                  if entry.startswith(start) and _NAME_RULE.match(entry[len(start):]) and _begins_as_ring(entry))


def _begins_as_ring(entry):
    try:
        fd = os.open(os.path.join(_SHM, entry), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False  # gone again, or not ours to read
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode) and os.pread(fd, 8, 0) == _MAGIC
    finally:
        os.close(fd)


# ---- Streams lined up in time. -------------------------------------------------------------------------------------------

FrameSet = collections.namedtuple("FrameSet", "time_ns driver frames missing")
FrameSet.__doc__ = """Frames that belong together. time_ns: of the driver's frame. frames: by stream, the driver's too, None where there
is none. missing: why, by stream: "too early", "too late", "gap" or "stream down". From Sync.next()."""

_LOOK_S = 0.1  # how often a stream is looked for that is not there
_DOWN_S = 0.25  # a writer that restarts is no hole: a successor comes sooner than this


def sync(names, tolerance_ns, mode="reproducible", driver=None, timeout=None, prefix=None):
    """Lines streams up in time: a Sync, which gives one FrameSet for each frame of the driving stream.

    A frame's time is its capture time; its publish time where that is unknown, or later than the publication. A member is the
    frame nearest to the driver's, at most tolerance_ns away, of two as near the earlier; no frame is in two sets.

    mode "reproducible": each frame of the driver in order, answered when the answer can no longer change, that is when each
    other stream has a frame at or after it, or is down. How the streams interleave does not matter: a replay gives the same.
    mode "available": the driver's newest frame, answered at once with what is in the other rings.

    driver: one of the names, else the slowest by its descriptor's `rate` at the start. timeout: seconds that the driver may take
    to appear (None: for ever); the others are taken up when they do, and are "stream down" until then. Raises RingError.
    """
    return Sync(names, tolerance_ns, mode, driver, timeout, prefix)


def _time_of(frame):
    """When a frame was: a broken clock cannot put one into the future and so hold up everything."""
    capture, publish = frame.capture_time_ns, frame.publish_time_ns
    return publish if capture is None or capture > publish else capture


class Sync(object):
    """Sets of frames that belong together. Follows restarted writers by itself; iterating gives next() for ever."""

    def __init__(self, names, tolerance_ns, mode="reproducible", driver=None, timeout=None, prefix=None):
        names = list(names)
        self._check(names, tolerance_ns, mode, driver)
        self._tolerance_ns, self._available = tolerance_ns, mode == "available"
        self._members = collections.OrderedDict((name, _Member(name, prefix)) for name in names)
        self._pending, self._closed = None, False
        try:
            #: name of the driving stream
            self.driver = driver if driver is not None else self._slowest(timeout)
            self._members[self.driver].appear(timeout)
        except BaseException:
            self.close()
            raise

    def next(self, timeout=None):
        """The next set; waits up to `timeout` seconds, then None.

        Its frames are whole at this moment. A frame of the driver that is overwritten before its set is decided is dropped and
        counted in `missed`, one of another stream is passed over: more `slots` is the remedy.
        """
        deadline = _deadline(timeout)
        while not self._closed:
            left = max(0.0, deadline - _monotonic())
            wait = min(left, _LOOK_S)
            if self._pending is None:
                self._pending = self._members[self.driver].drive(self._available, wait)
            found = self._decide(self._pending, wait) if self._pending is not None else None
            if found is not None and self._whole(found):
                return self._given(found)
            if not left:
                return None
        return None

    @property
    def missed(self):
        """Frames by stream that came into no set because they were overwritten."""
        return dict((name, member.missed) for name, member in self._members.items())

    def close(self):
        """Ends reading. Frames already given stay as they are."""
        self._closed, self._pending = True, None
        for member in self._members.values():
            member.close()

    def __iter__(self):
        return self

    def __next__(self):
        found = self.next()
        if found is None:
            raise StopIteration
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _check(self, names, tolerance_ns, mode, driver):
        wrong = None
        if len(names) < 2 or len(set(names)) < len(names):
            wrong = "%r: at least two streams, each named once" % (names,)
        elif driver is not None and driver not in names:
            wrong = "driver %r: allowed are %s" % (driver, ", ".join(names))
        elif not isinstance(tolerance_ns, int) or tolerance_ns < 0:
            wrong = "tolerance_ns %r: a whole number, 0 or more" % (tolerance_ns,)
        elif mode not in ("reproducible", "available"):
            wrong = "mode %r: allowed are reproducible, available" % (mode,)
        if wrong:
            raise RingError("sync: " + wrong, errno.EINVAL)

    def _slowest(self, timeout):
        """Of those that are there; where none is, the first that appears."""
        deadline = _deadline(timeout)
        while True:
            rates = [(member.reader._open_one().rate, name) for name, member in self._members.items() if member.open()]
            if rates:
                return min(rates, key=lambda one: one[0] or float("inf"))[1]
            if _monotonic() >= deadline:
                raise RingError("sync: there is none of the streams %s" % ", ".join(self._members), errno.ENOENT)
            time.sleep(_LOOK_S)

    def _decide(self, frame, wait):
        """The set of the driver's frame; None while it is not decided."""
        time_ns, frames, missing = _time_of(frame), {}, {}
        for name, member in self._members.items():
            if name == self.driver:
                frames[name] = frame
                continue
            if self._available:
                answer = member.available(time_ns, self._tolerance_ns)
            else:
                answer = member.decided(time_ns, self._tolerance_ns, wait)
            if answer is None:
                return None
            frames[name] = answer if isinstance(answer, Frame) else None
            if frames[name] is None:
                missing[name] = answer
        return FrameSet(time_ns, self.driver, frames, missing)

    def _whole(self, found):
        """Whether no frame was overwritten while others were waited for. Without its driver's there is no set."""
        if not found.frames[self.driver].valid():
            self._pending = None
            self._members[self.driver].overwritten += 1
            return False
        return all(frame is None or frame.valid() for frame in found.frames.values())

    def _given(self, found):
        self._pending = None
        for name, frame in found.frames.items():
            if frame is not None and name != self.driver:
                self._members[name].take(frame)
        return found


class _Member(object):
    """One of the streams: opened when it appears, its frames taken in order and kept until they are of no more use."""

    def __init__(self, name, prefix):
        self.name, self._prefix, self.reader = name, prefix, None
        self.overwritten = 0  # frames that were lost here while they waited
        self._look_at, self._down_since = 0.0, None
        self._before = None  # the last frame passed and not yet given
        self._after = None  # the next one, not consumed
        self._passed = False
        self._used = collections.deque(maxlen=0)  # (generation, sequence) given in mode available

    @property
    def missed(self):
        return self.overwritten + (self.reader.missed if self.reader is not None else 0)

    def open(self):
        """Whether there is, or was, such a stream."""
        if self.reader is None and _monotonic() >= self._look_at:
            self._look_at = _monotonic() + _LOOK_S
            try:
                self.reader = open(self.name, prefix=self._prefix)
            except RingError as error:
                if error.errno != errno.ENOENT:
                    raise
        return self.reader is not None

    def appear(self, timeout):
        deadline = _deadline(timeout)
        while not self.open():
            if _monotonic() >= deadline:
                raise RingError("sync: there is no stream %s" % self.name, errno.ENOENT)
            time.sleep(0.01)

    def close(self):
        if self.reader is not None:
            self.reader.close()
        self._before = self._after = None

    def drive(self, available, wait):
        return self.reader.newest(wait) if available else self._next(wait)

    def _next(self, wait):
        if self.open():
            return self.reader.next(wait)
        time.sleep(wait)
        return None

    def _down(self, least):
        """Dead or retired without a successor for `least` seconds, or not there at all."""
        if self.reader is not None and self.reader.state not in ("dead", "retired"):
            self._down_since = None
            return False
        now = _monotonic()
        if self._down_since is None:
            self._down_since = now
        return self.reader is None or now - self._down_since >= least

    def decided(self, time_ns, tolerance_ns, wait):
        """Mode reproducible: the frame or the reason, which no later frame can change; None where there is none in time. Asked
        again with the same instant it goes on where it was."""
        while True:
            if not self._reach(time_ns, 0):
                down = self._down(_DOWN_S)  # before the last look: what was published until then comes first
                if not self._reach(time_ns, 0 if down else wait) and not down:
                    return None
            if not self._drop_overwritten():
                return self._nearer(time_ns, tolerance_ns)

    def _reach(self, time_ns, wait):
        """Passes all frames before the instant; whether one at or after it is known."""
        while True:
            if self._after is None:
                self._after = self._next(wait)
            if self._after is None:
                return False
            if _time_of(self._after) >= time_ns:
                return True
            self._before, self._after, self._passed = self._after, None, True

    def _drop_overwritten(self):
        """One that was overwritten while it waited counts as never come."""
        before = self._before is not None and not self._before.valid()
        after = self._after is not None and not self._after.valid()
        if before:
            self._before = None
        if after:
            self._after = None
        self.overwritten += before + after
        return before or after

    def _nearer(self, time_ns, tolerance_ns):
        near = [(abs(_time_of(frame) - time_ns), frame) for frame in (self._before, self._after) if frame is not None]
        near = [one for one in near if one[0] <= tolerance_ns]
        if near:
            return min(near, key=lambda one: one[0])[1]  # of two as near the first: the earlier
        if self._after is None:
            return "stream down"
        return "gap" if self._passed else "too late"

    def available(self, time_ns, tolerance_ns):
        """Mode available: the frame or the reason, by what is in the ring now."""
        frames = self._newest_back(time_ns - tolerance_ns) if self.open() else []
        near = [(abs(_time_of(f) - time_ns), f) for f in frames if (f.generation, f.seq) not in self._used]
        near = [one for one in near if one[0] <= tolerance_ns]
        if near:
            return min(near, key=lambda one: one[0])[1]
        if self._down(0):
            return "stream down"
        if not frames or _time_of(frames[-1]) < time_ns - tolerance_ns:
            return "too early"
        return "too late" if _time_of(frames[0]) > time_ns + tolerance_ns else "gap"

    def _newest_back(self, from_ns):
        """The ring's frames, oldest first, as far back as one before from_ns: most of a long ring is of no use."""
        count = 8
        while True:
            window = self.reader._current().window
            frames = self.reader.last(min(count, window))
            if count >= window or len(frames) < count or _time_of(frames[0]) < from_ns:
                return frames
            count *= 4

    def take(self, frame):
        """The frame is given and belongs to no other set."""
        if frame is self._after:
            self._before = self._after = None
            self._passed = True
        elif frame is self._before:
            self._before = None
        else:
            most = 2 * self.reader._open_one().slot_count  # given while it was the newest, and as many older ones since
            if self._used.maxlen < most:
                self._used = collections.deque(self._used, most)
            self._used.append((frame.generation, frame.seq))


# ---- A writer. -----------------------------------------------------------------------------------------------------------

def create(name, descriptor, slots=None, payload_capacity=None, prefix=None, group=None):
    """The Writer of a new stream, or of one whose writer is dead.

    descriptor: a dict with `kind`, `dtype`, `shape` and whatever else of the contract's members is known (`rate`, `dims`,
    `units`, `fields`, ...); messages need only {"kind": "message"}, `encoding` being json. slots: default 8 for video, depth
    and tensor, 64 for audio, 256 for imu, pose and message. payload_capacity: bytes of the largest frame, default what shape
    and dtype need, 16384 for messages. group: a group's name or number that may read too; else only this user may.
    Raises RingError: another writer has the stream, too little memory (with needed and available bytes), wrong names.
    """
    return Writer(name, descriptor, slots, payload_capacity, prefix, group)


_SLOTS_OF_KIND = {"audio": 64, "imu": 256, "pose": 256, "message": 256}
_MESSAGE_BYTES = 16384
_CLOCK = {"name": "CLOCK_MONOTONIC", "unit": "ns", "epoch": "boot", "method": "local"}


def _round_up(value, to):
    return (value + to - 1) // to * to


class _Plan(object):
    """A descriptor checked and completed, and the sizes that follow from it."""

    def __init__(self, stream, descriptor, slots, payload_capacity):
        self.stream = stream
        if not isinstance(descriptor, dict):
            self._refuse("the descriptor is a dict, not %r", descriptor)
        self.descriptor = d = dict(descriptor)
        self.kind = d.setdefault("kind", "tensor")
        if self.kind not in _KINDS:
            self._refuse("kind %r: allowed are " + ", ".join(_KINDS), self.kind)
        if self.kind == "message":
            payload_capacity = _MESSAGE_BYTES if payload_capacity is None else payload_capacity
            d.update({"dtype": "|u1", "shape": [payload_capacity], "dims": ["byte"]})
            d.setdefault("fields", REFERENCE_FIELDS)
            if d.setdefault("encoding", "json") not in ("json", "utf8", "msgpack"):
                self._refuse("encoding %r: allowed are json, utf8, msgpack", d["encoding"])
        d["dtype"] = _as_json_takes_it(d.get("dtype"))
        d.setdefault("clock", _CLOCK)
        self.item = _item_bytes(d["dtype"])
        if self.item is None:
            self._refuse("dtype %r: a NumPy typestr such as '|u1' or '<f4', or a descr list such as [['x', '<f4', [3]]]",
                         d["dtype"])
        if not _is_shape(d.get("shape")):
            self._refuse("shape %r: a list of at most 8 sizes below 2**32", d.get("shape"))
        d["shape"] = list(d["shape"])
        self.frame_bytes = _product(d["shape"]) * self.item
        self._plan_fields()
        self.slot_count = _SLOTS_OF_KIND.get(self.kind, 8) if slots is None else slots
        if not isinstance(self.slot_count, int) or not _SLOTS_MIN <= self.slot_count <= _SLOTS_MAX:
            self._refuse("slots %r: allowed are 4 to 65536", slots)
        self.spread = self._spread()
        self.payload_capacity = max(1, self.spread) if payload_capacity is None else payload_capacity
        if not isinstance(self.payload_capacity, int) or not 1 <= self.payload_capacity <= 1 << 40:
            self._refuse("payload_capacity %r: allowed are 1 byte to 1 TiB", payload_capacity)
        unit = _PAGE if self.payload_capacity >= _PAGE else _ALIGNMENT
        self.payload_offset = _round_up(_SLOT_BYTES + self.fields_capacity, unit)
        self.slot_stride = _round_up(self.payload_offset + self.payload_capacity, unit)

    def _refuse(self, words, *values):
        raise RingError("stream %s: %s" % (self.stream, words % values if values else words), errno.EINVAL)

    def _spread(self):
        """Bytes from the first to the last of a frame, which strides may spread."""
        shape, strides = self.descriptor["shape"], self.descriptor.get("strides")
        if not strides or 0 in shape:
            return self.frame_bytes
        if not _is_shape(strides) or len(strides) != len(shape):
            self._refuse("strides %r: as many sizes in bytes as shape has", strides)
        return max(self.frame_bytes, sum((n - 1) * step for n, step in zip(shape, strides)) + self.item)

    def _plan_fields(self):
        """Fields without an offset are put one after the other, each at a multiple of 8."""
        end, entries = 0, []
        for entry in self.descriptor.get("fields") or ():
            try:
                entry = dict({"offset": _round_up(end, 8), "shape": []}, **entry)
                entry["dtype"] = _as_json_takes_it(entry["dtype"])
                end = max(end, _Field(entry).end)
            except (AttributeError, KeyError, TypeError, ValueError, struct.error) as error:
                self._refuse("field %r: name, dtype, shape and offset are needed (at fault: %s)", entry, error)
            entries.append(entry)
        if entries:
            self.descriptor["fields"] = entries
        self.fields = dict((entry["name"], _Field(entry)) for entry in entries)
        self.fields_capacity = _round_up(end, 8)

    def lay_out(self, prefix, generation):
        """Header and descriptor as they lie at the start of the file, without the magic; and the size of all."""
        name = "%s.%s" % (prefix, self.stream)
        whole = dict(self.descriptor, name=self.stream, wake=None, shm={
            "object": "/" + name, "path": "%s/%s" % (_SHM, name), "generation": binascii.hexlify(generation).decode(),
            "slotCount": self.slot_count, "slotStride": self.slot_stride, "payloadCapacity": self.payload_capacity})
        try:
            text = json.dumps(whole, ensure_ascii=False, allow_nan=False).encode("utf-8")
        except (TypeError, ValueError) as error:
            self._refuse("the descriptor is not JSON: %s", error)
        if len(text) > _DESCRIPTOR_MAX:
            self._refuse("the descriptor has %d bytes, 65536 are allowed: big tables belong elsewhere", len(text))
        slots_offset = _round_up(_HEADER_BYTES + len(text), _PAGE)
        total = slots_offset + self.slot_count * self.slot_stride
        header = _Header(
            magic=b"", major=_MAJOR, minor=_MINOR, header_bytes=_HEADER_BYTES, total_bytes=total, generation=generation,
            slots_offset=slots_offset, slot_stride=self.slot_stride, payload_capacity=self.payload_capacity,
            slot_count=self.slot_count, slot_header_bytes=_SLOT_BYTES, fields_offset=_SLOT_BYTES,
            fields_capacity=self.fields_capacity, payload_offset=self.payload_offset, descriptor_offset=_HEADER_BYTES,
            descriptor_bytes=len(text), wake_mode=_WAKE_FUTEX if _libc else _WAKE_NONE, writer_pid=os.getpid(),
            reserved_100=0, writer_start_utc_ns=_utc_ns(), reserved_112=b"", latest=0, wake=0, flags=0, reserved_144=b"")
        return whole, slots_offset, total, _HEADER.pack(*header) + text


class _Made(object):
    """A generation as its writer has it: the file, locked, and a writable mapping."""

    def __init__(self, temporary, plan, generation, prefix):
        self.plan, self.generation = plan, binascii.hexlify(generation).decode()
        self.descriptor, slots_offset, total, start = plan.lay_out(prefix, generation)
        self.map = self.page = self.view = self.words = self.hot = None
        # memcpy writes large payloads by streaming stores, which may pass the store of begin. They do not pass a locked
        # instruction, and taking a lock is one.
        self.barrier = threading.Lock()
        room = _room()
        if total > room:
            raise RingError(_too_little(plan, total, room), errno.ENOSPC)
        self.fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _try_lock(self.fd)  # before anybody else may open it
            os.posix_fallocate(self.fd, 0, total)  # a full /dev/shm says so here, not by SIGBUS later
            self._map(temporary, total)
            self._fill(start, total)
        except OSError as error:
            self.let_go()
            if error.errno in (errno.ENOSPC, errno.ENOMEM):
                raise RingError(_too_little(plan, total, room), errno.ENOSPC)
            raise RingError("stream %s: %s cannot be made: %s" % (plan.stream, temporary, error), error.errno)
        self.first, self.stride = slots_offset >> 3, plan.slot_stride >> 3

    def _map(self, path, total):
        """Through a descriptor of its own: a mapping keeps open what it was made from, and a forked child that inherits the
        mapping would hold our lock after our death."""
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self.map, self.page = mmap.mmap(fd, total), _Page(fd)
        finally:
            os.close(fd)
        self.view = memoryview(self.map)
        self.words = self.view.cast("Q")
        self.hot = self.view[:_HEADER_BYTES].cast("I")

    def _fill(self, start, total):
        try:
            self.map.madvise(23)  # MADV_POPULATE_WRITE: the first frames then cost what later ones do
        except (AttributeError, OSError):  # before Python 3.8 or Linux 5.14: page by page
            for at in range(0, total, _PAGE):
                self.view[at] = 0
        self.view[8:len(start)] = start[8:]
        if _fence:
            _fence()
        self.view[:8] = _MAGIC  # last: without it the rest counts for nothing

    def let_go(self):
        for view in (self.hot, self.words, self.view):
            if view is not None:
                view.release()
        if self.map is not None:
            self.map.close()
        if self.page is not None:
            self.page.close()
        self.map = self.page = self.view = self.words = self.hot = None  # the page alone would keep all of the file
        self.fd = _close(self.fd)


class Writer(object):
    """The one writer of a stream. Use it as a context manager, or close() it: readers then learn that it has ended."""

    def __init__(self, name, descriptor, slots=None, payload_capacity=None, prefix=None, group=None):
        self._made, self._lock_fd = None, -1
        self._gave_way = None  # plan of a ring that had to make room for a successor that then did not fit
        self._prefix, self.name = _checked_names(prefix, name), name
        self._group = _gid(group)
        self.path = "%s/%s.%s" % (_SHM, self._prefix, name)
        self._lock_path = "%s/.%s.%s.lock" % (_SHM, self._prefix, name)
        self._pid = os.getpid()
        self._mutex = threading.Lock()
        self._look_at = 0.0
        plan = _Plan(name, descriptor, slots, payload_capacity)
        _writers.add(self)
        self._lock_fd = self._take_lock()
        try:
            self._begin(plan)
        except BaseException:
            self.close()
            raise
        atexit.register(self.close)

    @property
    def descriptor(self):
        """The description as readers see it, with name, wake (null: there is no doorbell) and shm."""
        return self._one().descriptor

    @property
    def generation(self):
        """The id of the ring being written, 32 hexadecimal digits."""
        return self._one().generation

    @property
    def seq(self):
        """The sequence published last, 0 before the first."""
        return self._one().words[_LATEST]

    def publish(self, data, capture_time_ns=None, device_time=None, time_error_ns=None, clock_epoch=0, fields=None,
                shape=None, refers_to=None):
        """Publishes one frame and returns its sequence. Never waits for a reader.

        data: contiguous memory (bytes, bytearray, memoryview, array) or a NumPy array, whose dtype and shape then count; for
        message streams also a str, or with encoding json anything json.dumps() takes. shape: of this frame, where it is not
        the descriptor's; one unknown dimension of a one-dimensional stream follows from the size.
        refers_to: the frame that this one was computed from: as a reader gave it, or a Reference. Unless capture_time_ns is
        given, its capture time, the error of that and the clock epoch become this one's too. For message streams; of other
        kinds those whose `fields` begin with the four of native/LAYOUT.md.
        capture_time_ns: CLOCK_MONOTONIC, ns. device_time: the device's ticks. time_error_ns: bound of the error of
        capture_time_ns. None: unknown. fields: a dict by the names in descriptor['fields'], or raw bytes.

        A frame that does not fit, or of another dtype, begins a new generation; a message that does not fit is a RingError.
        """
        with self._mutex:
            if self._made is None:
                self._begin(self._old_plan())
            now = _monotonic()
            if now >= self._look_at:
                self._look_after_the_name(now)
            payload, shape, dtype = self._payload(data, shape)
            made = self._fitting(len(payload), shape, dtype)
            area = self._fields(made.plan, fields)
            if refers_to is not None:
                reference, area = self._referring(made.plan, area, refers_to)
                if capture_time_ns is None:
                    capture_time_ns = reference.capture_time_ns
                    time_error_ns = getattr(refers_to, "time_error_ns", time_error_ns)
                    clock_epoch = getattr(refers_to, "clock_epoch", clock_epoch)
            usual = shape == made.plan.descriptor["shape"] and len(payload) == made.plan.spread
            own = () if usual else tuple(shape)
            meta = [_UNKNOWN if time_ns is None else time_ns for time_ns in (device_time, capture_time_ns, time_error_ns)]
            try:
                meta = _META.pack(*(meta + [_monotonic_ns(), _utc_ns(), len(payload), clock_epoch, len(area), len(own), 0]
                                    + list(own + (0,) * (8 - len(own)))))
            except (TypeError, ValueError, OverflowError, struct.error) as error:
                raise RingError("stream %s: a time is an integer from 0 to 2**64 - 1, a clock epoch to 2**32 - 1: %s"
                                % (self.name, error), errno.EINVAL)
            return self._write(made, payload, area, meta)

    def renew(self, descriptor=None, slots=None, payload_capacity=None):
        """Begins a new generation of the stream: another shape, dtype or size. Readers follow by themselves; sequences start
        again at 1. What is not given stays. Where there is too little memory the old one may have had to go: publish() and
        renew() then try again."""
        with self._mutex:
            old = self._old_plan()
            if descriptor is None:
                descriptor = old.descriptor
                payload_capacity = old.payload_capacity if payload_capacity is None else payload_capacity
            self._begin(_Plan(self.name, descriptor, old.slot_count if slots is None else slots, payload_capacity))

    def close(self):
        """Ends the stream: readers are told, the ring and its lock are removed. In a forked child it only lets go."""
        with self._mutex:
            made, self._made, self._gave_way = self._made, None, None
            if self._pid == os.getpid():
                atexit.unregister(self.close)
                if made is not None:
                    _retire(made.fd)
                    if _is_at(made.fd, self.path):
                        _unlink(self.path)
                if self._lock_fd >= 0 and _is_at(self._lock_fd, self._lock_path):
                    _unlink(self._lock_path)
            if made is not None:
                made.let_go()
            self._lock_fd = _close(self._lock_fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        return "<Writer %s%s>" % (self.name, "" if self._made is not None else ", closed")

    # Publishing.

    def _one(self):
        if self._pid != os.getpid():
            self._forked()
            raise RingError("stream %s belongs to process %d: a forked child cannot write it; create it in the child"
                            % (self.name, self._pid), errno.EPERM)
        if self._made is None:
            raise RingError("the writer of stream %s is closed" % self.name, errno.EBADF)
        return self._made

    def _old_plan(self):
        if self._made is None and self._gave_way is not None and self._pid == os.getpid():
            return self._gave_way
        return self._one().plan

    def _payload(self, data, shape):
        """data as flat bytes, with its shape (a list) and dtype where it says them."""
        plan, dtype = self._one().plan, None
        try:
            if plan.kind == "message" and not isinstance(data, (bytes, bytearray, memoryview)):
                data = self._encoded(plan, data)
            elif hasattr(data, "__array_interface__") and _numpy() is not None:
                data = _numpy().asarray(data, order="C")
                shape, dtype = list(data.shape) if shape is None else shape, _as_json_takes_it(data.dtype)
            payload = _bytes_of(data)
        except (TypeError, ValueError) as error:
            raise RingError("stream %s: %s is not a frame: %s" % (self.name, type(data).__name__, error), errno.EINVAL)
        item, usual = plan.item if dtype is None else _item_bytes(dtype), plan.descriptor["shape"]
        if len(payload) == plan.spread != plan.frame_bytes:
            return payload, usual, dtype  # as the descriptor's strides say
        if shape is None:
            shape = [len(payload) // plan.item] if len(usual) == 1 else usual
        if not _is_shape(shape) or item is None or _product(shape) * item != len(payload):
            raise RingError("stream %s: %d bytes are not a frame of shape %r and dtype %r: give the frame's own shape"
                            % (self.name, len(payload), shape, dtype or plan.descriptor["dtype"]), errno.EINVAL)
        return payload, list(shape), dtype

    def _encoded(self, plan, data):
        if isinstance(data, str):
            return data.encode("utf-8")
        if plan.descriptor["encoding"] != "json":
            raise ValueError("encoding %s takes bytes or a str" % plan.descriptor["encoding"])
        return json.dumps(data, separators=(",", ":"), allow_nan=False).encode("utf-8")

    def _fitting(self, payload_bytes, shape, dtype):
        """The generation that takes such a frame: this one, else a new one."""
        made = self._one()
        plan = made.plan
        other = dtype is not None and dtype != plan.descriptor["dtype"] and plan.kind != "message"
        if payload_bytes <= plan.payload_capacity and not other:
            return made
        if plan.kind == "message":
            raise RingError("stream %s: a message of %d bytes, payload_capacity is %d: create() it with more"
                            % (self.name, payload_bytes, plan.payload_capacity), errno.EMSGSIZE)
        changed = dict(plan.descriptor, shape=shape, dtype=dtype or plan.descriptor["dtype"])
        changed.pop("strides", None)
        self._begin(_Plan(self.name, changed, plan.slot_count, None))
        return self._made

    def _fields(self, plan, fields):
        """The metadata area's bytes."""
        if not fields:
            return b""
        try:
            if not isinstance(fields, dict):
                area = bytes(fields)
            else:
                area = bytearray(max(plan.fields[name].end for name in fields))
                for name, value in fields.items():
                    plan.fields[name].write(area, value)
        except KeyError as error:
            raise RingError("stream %s has no field %s; there are: %s"
                            % (self.name, error, ", ".join(sorted(plan.fields)) or "none"), errno.EINVAL)
        except (TypeError, ValueError, OverflowError, struct.error) as error:
            raise RingError("stream %s: fields %r: %s" % (self.name, fields, error), errno.EINVAL)
        if len(area) > plan.fields_capacity:
            raise RingError("stream %s: %d bytes of fields, the descriptor's need %d"
                            % (self.name, len(area), plan.fields_capacity), errno.EMSGSIZE)
        return area

    def _referring(self, plan, area, frame):
        """The Reference to a frame, and the metadata area with it in its place."""
        if not _can_refer(plan.fields.values()):
            raise RingError("stream %s cannot refer to a frame: its `fields` do not begin with the four of a reference "
                            "(native/LAYOUT.md, message streams)" % self.name, errno.EINVAL)
        try:
            if isinstance(frame, Frame):
                frame = (frame.stream, frame.generation, frame.seq, frame.capture_time_ns)
            reference = Reference(*frame)
            return reference, _reference_bytes(reference) + bytes(area[_REFERENCE.size:])
        except (TypeError, ValueError, struct.error) as error:
            raise RingError("stream %s: refers_to is a frame or a Reference: %s" % (self.name, error), errno.EINVAL)

    def _write(self, made, payload, area, meta):
        words, view, plan = made.words, made.view, made.plan
        seq = words[_LATEST] + 1
        at = made.first + seq % plan.slot_count * made.stride
        start = at << 3
        words[at] = seq  # begin: from here on no reader takes the frame that this slot held
        if _fence:
            _fence()
        with made.barrier:
            view[start + 16:start + 16 + len(meta)] = meta
        if area:
            view[start + _SLOT_BYTES:start + _SLOT_BYTES + len(area)] = area
        at_payload = start + plan.payload_offset
        view[at_payload:at_payload + len(payload)] = payload
        if _fence:
            _fence()
        words[at + 1] = seq  # end: the slot is whole
        if _fence:
            _fence()
        words[_LATEST] = seq  # after the slot, or a reader is sent to half a frame
        if _fence:
            _fence()
        made.hot[_WAKE] = made.hot[_WAKE] + 1 & 0xFFFFFFFF  # after latest, or a reader sleeps through it
        made.page.wake()
        return seq

    # Owning the name.

    def _take_lock(self):
        """The stream's lock, within a second. 0600 whatever the ring's mode: who can open it can hold it."""
        deadline = _monotonic() + 1
        while True:
            try:
                fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            except OSError as error:
                raise RingError("stream %s: its lock cannot be opened: %s" % (self.name, error), error.errno)
            try:
                status = os.fstat(fd)
                if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                    raise RingError("stream %s: %s is in the way: it is not a file of this user; its owner must remove it"
                                    % (self.name, self._lock_path), errno.EPERM)
                # At the path: its last owner may have unlinked it. The ring too: the lock may have been removed under it.
                if _try_lock(fd) and _is_at(fd, self._lock_path) and not self._ring_is_held():
                    keep, fd = fd, -1
                    return keep
            finally:
                _close(fd)
            if _monotonic() >= deadline:
                raise RingError("stream %s (prefix %s) has another writer already%s: end that one, or choose another name"
                                % (self.name, self._prefix, self._who()), errno.EBUSY)
            time.sleep(0.01)

    def _open_old(self, flags):
        """The file that stands at the ring's path, or None."""
        try:
            return os.open(self.path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise RingError("%s is in the way: %s" % (self.path, error), error.errno)

    def _ring_is_held(self):
        try:
            fd = self._open_old(os.O_RDONLY)
        except RingError:
            return False  # what is in the way is reported when the ring is to be put there
        try:
            return fd is not None and _locked(fd)
        finally:
            _close(fd)

    def _who(self):
        try:
            fd = self._open_old(os.O_RDONLY)
            raw = os.pread(fd, 4, _AT["writer_pid"]) if fd is not None else b""
            _close(fd)
        except (OSError, RingError):
            raw = b""
        return " (process %d)" % _U32.unpack(raw) if len(raw) == 4 else ""

    def _begin(self, plan):
        """Makes a generation and puts it under the name. Under the lock, in this order: sweep, allocate, fill, retire the
        old ring, rename."""
        self._sweep()
        temporary = "%s/.%s.%s.%s" % (_SHM, self._prefix, self.name, binascii.hexlify(os.urandom(8)).decode())
        old = self._made
        try:
            made = self._make(temporary, plan)
            try:
                self._share(made.fd)
                self._retire_old()
                os.rename(temporary, self.path)
            except BaseException:
                made.let_go()
                raise
        except BaseException as error:
            _unlink(temporary)
            if isinstance(error, OSError):
                raise RingError("stream %s: %s" % (self.name, error), error.errno)
            raise
        self._made, self._gave_way, self._look_at = made, None, _monotonic() + 1
        if old is not None and old.map is not None:
            _retire(old.fd)  # once more, by its own descriptor: its name may have been gone
            old.let_go()

    def _share(self, fd):
        """Lets the group read; never anybody else: the cameras are on people's heads."""
        if self._group is None:
            return
        try:
            os.fchown(fd, -1, self._group)
            os.fchmod(fd, 0o640)
        except OSError as error:
            raise RingError("stream %s cannot be given to group %d: %s" % (self.name, self._group, error), error.errno)

    def _make(self, temporary, plan):
        """A generation in a temporary file. Where two rings do not fit side by side the old one goes first, and its readers
        have two seconds to let go of it."""
        deadline = None
        while True:
            try:
                return _Made(temporary, plan, os.urandom(16), self._prefix)
            except RingError as error:
                _unlink(temporary)
                if error.errno != errno.ENOSPC or deadline is not None and _monotonic() >= deadline:
                    raise
                if deadline is None and not self._give_way():
                    raise
                deadline = deadline or _monotonic() + 2
            time.sleep(0.02)

    def _give_way(self):
        """Retires and removes the old ring. False where there is none, so that waiting would not help."""
        found = self._retire_old()
        if found:
            _unlink(self.path)
        old, self._made = self._made, None
        if old is not None:
            self._gave_way = old.plan
            _retire(old.fd)
            old.let_go()
        return found or old is not None

    def _retire_old(self):
        fd = self._open_old(os.O_RDWR)
        if fd is None:
            return False
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise RingError("%s is in the way: it is not a file of this user; its owner must remove it" % self.path,
                                errno.EPERM)
            _retire(fd)
        finally:
            os.close(fd)
        return True

    def _sweep(self):
        """Removes what writers killed between creating and renaming have left. Safe, because we hold the lock."""
        start = ".%s.%s." % (self._prefix, self.name)
        for entry in os.listdir(_SHM):
            if entry.startswith(start) and re.match(r"[0-9a-f]{16}\Z", entry[len(start):]):
                _unlink(os.path.join(_SHM, entry))

    def _look_after_the_name(self, now):
        """Once a second: where somebody has removed the ring's name it begins a new generation, unless another writer has
        the stream by now."""
        made = self._one()
        self._look_at = now + 1
        if os.fstat(made.fd).st_nlink:
            return
        if not _is_at(self._lock_fd, self._lock_path):
            _retire(made.fd)
            self._lock_fd, old = -1, self._lock_fd
            os.close(old)
            try:
                self._lock_fd = self._take_lock()
            except RingError:
                self._made = None
                made.let_go()
                raise
        self._begin(made.plan)

    def _forked(self):
        """In a forked child: closes what holds the locks, or a dead writer would look alive for as long as we run."""
        self._lock_fd = _close(self._lock_fd)
        self._mutex = threading.Lock()
        if self._made is not None:
            self._made.fd = _close(self._made.fd)


_writers = weakref.WeakSet()


def _after_fork_in_child():
    for writer in list(_writers):
        writer._forked()


_register_at_fork = getattr(os, "register_at_fork", None)
if _register_at_fork is not None:
    _register_at_fork(after_in_child=_after_fork_in_child)
else:  # before Python 3.7: of forks made by multiprocessing; os.fork() itself cannot be seen
    from multiprocessing import util as _util
    _util.register_after_fork(_writers, lambda _: _after_fork_in_child())


def _retire(fd):
    """Sets RETIRED in the ring behind fd, adds 1 to wake, and wakes its readers: by pwrite, since whoever owns the file may
    shrink it, and a mapping would end us."""
    for name, change in (("flags", lambda n: n | _RETIRED), ("wake", lambda n: n + 1 & 0xFFFFFFFF)):
        raw = os.pread(fd, 4, _AT[name])
        if len(raw) != 4:
            return  # too short for a header: nobody reads it
        os.pwrite(fd, _U32.pack(change(_U32.unpack(raw)[0])), _AT[name])
    page = _Page(fd)
    page.wake()
    page.close()


def _gid(group):
    if group is None or isinstance(group, int):
        return group
    import grp
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise RingError("there is no group %r" % (group,), errno.EINVAL)


def _too_little(plan, needed, available):
    return ("stream %s needs %d bytes of shared memory (%d slots), %d are available in /dev/shm and under the memory limit: "
            "lower `slots`, or enlarge them (docker: --shm-size, --memory)" % (plan.stream, needed, plan.slot_count, available))


def _room():
    """Bytes that a new ring may take: what /dev/shm has free, and what the cgroup still allows, whichever is less. Asked
    before allocating: a cgroup answers posix_fallocate beyond its limit with SIGKILL, not with an error."""
    free = os.statvfs(_SHM)
    # the cgroup also pays for page tables and the kernel's index of the pages, 1/256 of the ring
    allowed = [max(0, room - (1 << 20) - room // 128) for room in _cgroup_rooms()]
    return min([free.f_bavail * free.f_frsize] + allowed)


def _cgroup_rooms(own="/proc/self/cgroup", root="/sys/fs/cgroup"):
    """Limit - use + page cache of this process's memory cgroup and of each above it. In a container the path may not exist
    below the mount: then the mount's own files count."""
    rooms = []
    for line in (_text(own) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = root + "/memory" if controllers else root
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            room = _cgroup_room("/".join([mount] + parts[:depth]), not controllers)
            if room is not None:
                rooms.append(room)
    return rooms


def _cgroup_room(folder, v2):
    limit = _text(folder + ("/memory.max" if v2 else "/memory.limit_in_bytes"))
    used = _text(folder + ("/memory.current" if v2 else "/memory.usage_in_bytes"))
    if limit is None or used is None or not limit.strip().isdigit():  # "max"
        return None
    cache = re.search(r"^%sinactive_file (\d+)" % ("" if v2 else "total_"), _text(folder + "/memory.stat") or "", re.M)
    return max(0, int(limit) - int(used) + int(cache.group(1) if cache else 0))


def _text(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, 65536).decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(fd)


# ---- The command line. ---------------------------------------------------------------------------------------------------

def _list(prefix):
    names = streams(prefix)
    for name in names:
        try:
            with open(name, prefix=prefix) as reader:
                print(_line(reader))
        except RingError as error:
            print("%-24s %s" % (name, error))
    if not names:
        print("no streams in %s/%s.*: is the hub running?" % (_SHM, _checked_names(prefix, "x")), file=sys.stderr)
    return 0


def _line(reader):
    d, frame = reader.descriptor, reader.latest()
    shape = frame.shape if frame is not None else d.get("shape")
    age = "%.1f ms" % (frame.age_ns / 1e6) if frame is not None else "no frame yet"
    rate = "%g/s" % d["rate"] if isinstance(d.get("rate"), (int, float)) else "-"
    dtype = d.get("dtype") if isinstance(d.get("dtype"), str) else "record"
    return "%-24s %-8s %-8s %-20s %-6s %10s  %s" % (reader.name, reader.state, d.get("kind"), _words(shape), dtype, rate, age)


def _words(shape):
    return " x ".join(str(n) for n in shape) if shape else "-"


def _watch(name, prefix, seconds, timeout):
    with open(name, timeout=timeout, prefix=prefix) as reader:
        end = _deadline(seconds)
        while _monotonic() < end:
            start = _monotonic()
            count, missed, frame = _count_until(reader, min(start + 1, end))
            shape = _words(frame.shape) if frame is not None else "no frame"
            print("%-24s %-20s %8.1f frames/s  missed %d  %s" % (
                name, shape, count / max(1e-9, _monotonic() - start), missed, reader.state), flush=True)
    return 0


def _count_until(reader, end):
    count, before, last = 0, reader.missed, None
    while _monotonic() < end:
        frame = reader.next(timeout=max(0.0, end - _monotonic()))
        if frame is not None:
            count, last = count + 1, frame
    return count, reader.missed - before, last


def main(arguments=None):
    """Lists the streams, or prints shape, rate and missed frames of one once a second."""
    import argparse
    parser = argparse.ArgumentParser(prog="streamem.py", description=main.__doc__)
    parser.add_argument("name", nargs="?", help="a stream's name or a ring's path; without it: list the streams")
    parser.add_argument("--prefix", help="of the streams' names in /dev/shm; else $STREAMEM_PREFIX, else streamem")
    parser.add_argument("--seconds", type=float, help="stop after so many; else Ctrl-C does")
    parser.add_argument("--timeout", type=float, default=10, help="seconds to wait for the stream to appear (10)")
    parser.add_argument("--layout", action="store_true", help="print the offsets used as JSON")
    options = parser.parse_args(arguments)
    try:
        if options.layout:
            print(json.dumps(layout()))
            return 0
        if options.name is None:
            return _list(options.prefix)
        return _watch(options.name, options.prefix, options.seconds, options.timeout)
    except RingError as error:
        print("streamem.py: %s" % error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
