"""A long-throw depth frame as points of the world: python3 examples/hololens_points.py points.npy [stream [hub]]"""
import io, json, os, sys, urllib.request
import numpy as np
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clients/python"))
import streamem


def world_points(depth, pose, rays, extrinsics, scale):
    seen = (depth > 0) & rays.any(axis=2)  # depth 0: none; ray 0, 0: a pixel that the lens does not reach
    toward = np.c_[rays[seen], np.ones(seen.sum())]
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    in_camera = np.c_[toward * (depth[seen, None] / scale), np.ones(seen.sum())]  # depth is measured along the ray
    return (in_camera @ np.linalg.inv(extrinsics) @ pose)[:, :3]  # camera -> rig -> world; points are rows


def main(out, stream="hl.depth-longthrow", hub="http://127.0.0.1:7766"):
    get = lambda path: urllib.request.urlopen(hub + path, timeout=10).read()
    calibration = json.loads(get("/api/v1/streams/%s/calibration" % stream))
    rays = np.load(io.BytesIO(get(calibration["tables"]["uv2xy"]["href"]))).astype(float)
    with streamem.open(stream, timeout=10) as camera:
        frame = next(f for f in camera if f.fields["pose_valid"])  # else the headset does not know where it is
        depth, pose = frame.copy(), np.array(frame.fields["pose"])
    points = world_points(depth, pose, rays, np.array(calibration["extrinsics"]), calibration["scale"])
    np.save(out, points)
    print("%d points from %s to %s metres" % (len(points), points.min(axis=0).round(2), points.max(axis=0).round(2)))


if __name__ == "__main__":
    main(*sys.argv[1:])
