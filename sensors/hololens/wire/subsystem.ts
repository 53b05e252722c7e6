/**
 * Starting and stopping the sources that must be opened before they stream: personal video, extended
 * video, extended depth. Neither command is answered.
 */
import { f32, joined, record, u8, u32, type Values } from "./record.ts";

/** Bits of the mode byte, beside the mode itself in bits 0 and 1. */
export const startBit = 0x04;
export const stopBit = 0x08;
const noMode = 3;

/**
 * Mixed Reality Capture: holograms in the picture. Without `enableMrc` only `shared` has an effect: it
 * opens the camera beside another program, which then decides about size, rate and settings.
 */
export const subsystemStart = record({
  enableMrc: u8,
  hologramComposition: u8,
  recordingIndicator: u8,
  videoStabilization: u8,
  blankProtected: u8,
  showMesh: u8,
  shared: u8,
  globalOpacity: f32,
  outputWidth: f32,
  outputHeight: f32,
  /** Frames. */
  videoStabilizationLength: u32,
  /** 0: the display's; 1: the camera's. */
  hologramPerspective: u32,
});

export type SubsystemStart = Values<typeof subsystemStart>;

const defaults: SubsystemStart = {
  enableMrc: 0,
  hologramComposition: 1,
  recordingIndicator: 0,
  videoStabilization: 0,
  blankProtected: 0,
  showMesh: 0,
  shared: 0,
  globalOpacity: 0.9,
  outputWidth: 0,
  outputHeight: 0,
  videoStabilizationLength: 0,
  hologramPerspective: 1,
};

export function encodeStart(options: Partial<SubsystemStart> = {}): Uint8Array {
  return joined(
    Uint8Array.of(noMode | startBit),
    subsystemStart.encode({ ...defaults, ...options }),
  );
}

export function encodeStop(): Uint8Array {
  return Uint8Array.of(noMode | stopBit);
}

/** Which camera of the device list: the extended sources take three of the floats as indices. */
export interface SourceSelection {
  group: number;
  source: number;
  profile: number;
}

export function startOfSource({
  group,
  source,
  profile,
}: SourceSelection): Partial<SubsystemStart> {
  return { globalOpacity: group, outputWidth: source, outputHeight: profile };
}

export function selectionOfStart(start: SubsystemStart): SourceSelection {
  return {
    group: Math.trunc(start.globalOpacity),
    source: Math.trunc(start.outputWidth),
    profile: Math.trunc(start.outputHeight),
  };
}
