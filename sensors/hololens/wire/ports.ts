/** What the device listens on. One port serves one client at a time; the next one waits in its queue. */

/** Ports of one family speak alike: the same configuration message, the same packets. */
export type StreamFamily =
  | "vlc"
  | "ahat"
  | "longthrow"
  | "imu"
  | "pv"
  | "microphone"
  | "spatial-input"
  | "eye-tracker"
  | "extended-audio"
  | "extended-video"
  | "extended-depth";

export interface StreamPort {
  port: number;
  /** As the device's own software names it. */
  name: string;
  family: StreamFamily;
}

/** Streams by the name they have in rings, after the sensor's own: `hl.vlc-leftfront`. */
export const streamPorts = {
  "vlc-leftfront": { port: 3800, name: "rm_vlc_leftfront", family: "vlc" },
  "vlc-leftleft": { port: 3801, name: "rm_vlc_leftleft", family: "vlc" },
  "vlc-rightfront": { port: 3802, name: "rm_vlc_rightfront", family: "vlc" },
  "vlc-rightright": { port: 3803, name: "rm_vlc_rightright", family: "vlc" },
  "depth-ahat": { port: 3804, name: "rm_depth_ahat", family: "ahat" },
  "depth-longthrow": { port: 3805, name: "rm_depth_longthrow", family: "longthrow" },
  accelerometer: { port: 3806, name: "rm_imu_accelerometer", family: "imu" },
  gyroscope: { port: 3807, name: "rm_imu_gyroscope", family: "imu" },
  magnetometer: { port: 3808, name: "rm_imu_magnetometer", family: "imu" },
  pv: { port: 3810, name: "personal_video", family: "pv" },
  microphone: { port: 3811, name: "microphone", family: "microphone" },
  "spatial-input": { port: 3812, name: "spatial_input", family: "spatial-input" },
  "eye-tracker": { port: 3817, name: "extended_eye_tracker", family: "eye-tracker" },
  "extended-audio": { port: 3818, name: "extended_audio", family: "extended-audio" },
  "extended-video": { port: 3819, name: "extended_video", family: "extended-video" },
  "extended-depth": { port: 3821, name: "extended_depth", family: "extended-depth" },
} as const satisfies Record<string, StreamPort>;

export type StreamName = keyof typeof streamPorts;

/** Ports that answer questions instead of streaming. Only the first is spoken here. */
export const queryPorts = {
  remote_configuration: 3809,
  spatial_mapping: 3813,
  scene_understanding: 3814,
  voice_input: 3815,
  unity_message_queue: 3816,
  guest_message_queue: 3820,
} as const;

const names = Object.keys(streamPorts) as StreamName[];

export function streamOfPort(port: number): StreamName | undefined {
  return names.find((name) => streamPorts[name].port === port);
}

/** 0: data; 1: data and pose; 2: a single transfer (calibration, device list); 3: neither. */
export type Mode = 0 | 1 | 2 | 3;

/** Ports 3800 to 3808 exist only while Research Mode is on. */
export function needsResearchMode(family: StreamFamily): boolean {
  return family === "vlc" || family === "ahat" || family === "longthrow" || family === "imu";
}

/** Its source must be started (subsystem.ts) before it streams. */
export function hasSubsystem(family: StreamFamily): boolean {
  return family === "pv" || family === "extended-video" || family === "extended-depth";
}

/** Its configuration begins with a mode byte. */
export function hasMode(family: StreamFamily): boolean {
  return needsResearchMode(family) || hasSubsystem(family);
}

/** Whether a pose follows each payload: packets do not say it, it follows from what was asked for. */
export function hasPose(family: StreamFamily, mode: Mode): boolean {
  return family === "eye-tracker" || (hasMode(family) && mode === 1);
}
