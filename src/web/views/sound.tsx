/** Sound: the wave of the last two seconds, what frequencies are in it, a level for each channel, and a button to hear it. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { depthColours } from "./colours.ts";
import { Listening } from "./listening.ts";
import { channelsOf, decibelFloor, decibels, type Level, levelOf, mixed } from "./sound-samples.ts";
import { spectrumOf, spectrumSamples } from "./spectrum.ts";
import { framesOf, useDrawing, useFrames, type ViewProps } from "./view.ts";

const waveSeconds = 2;
const wavePoints = 300;
const drawPeriodMs = 50;
const spectrumColumns = 240;
const spectrumRows = 96;
/** dB that the dark end of the spectrogram stands for. */
const spectrumFloor = -100;

export function SoundView({ stream, feed }: ViewProps) {
  const wave = useRef<HTMLCanvasElement>(null);
  const spectrogram = useRef<HTMLCanvasElement>(null);
  const sound = useRef(createSound(stream.sampleRateHz ?? 48_000));
  const listening = useRef<Listening | null>(null);
  const levels = useSignal<Level[]>([]);
  const isHeard = useSignal(false);
  const refusal = useSignal("");
  /** What was heard last: a plane for each channel. */
  const newest = useRef<{ planes: Float32Array[]; sequence: bigint }>({ planes: [], sequence: 0n });
  const sampleRateHz = stream.sampleRateHz ?? 48_000;

  const draw = useDrawing(drawPeriodMs, () => {
    if (!wave.current || !spectrogram.current) return;
    levels.value = newest.current.planes.map(levelOf);
    drawWave(wave.current, sound.current.wave());
    drawSpectra(spectrogram.current, sound.current.takeSpectra());
    wave.current.dataset.sequence = String(newest.current.sequence);
  });

  useFrames(feed, ({ payload, sequence }) => {
    const frames = framesOf(payload);
    if (frames.length === 0) return;
    for (const { data, shape } of frames) {
      const planes = channelsOf(data, stream, shape);
      sound.current.add(mixed(planes));
      listening.current?.play(planes, sampleRateHz);
      newest.current = { planes, sequence };
    }
    draw();
  });

  useEffect(() => () => listening.current?.stop(), []);

  const listen = async () => {
    refusal.value = "";
    if (listening.current) {
      listening.current.stop();
      listening.current = null;
      isHeard.value = false;
      return;
    }
    const started = new Listening();
    try {
      await started.start();
      listening.current = started;
      isHeard.value = true;
    } catch (error) {
      refusal.value = `Nothing to hear: ${(error as Error).message}`;
    }
  };

  return (
    <div class="sound">
      <canvas
        ref={wave}
        class="wave"
        width={wavePoints}
        height={64}
        role="img"
        aria-label={`Wave of ${stream.name}, two seconds`}
      />
      <canvas
        ref={spectrogram}
        class="spectrogram"
        width={spectrumColumns}
        height={spectrumRows}
        role="img"
        aria-label={`Spectrogram of ${stream.name}, 0 to ${sampleRateHz / 2000} kHz`}
      />
      <div class="levels">
        {levels.value.map((level, index) => (
          <Meter
            key={index}
            name={`${stream.name}, channel ${index + 1}`}
            channel={index + 1}
            level={level}
          />
        ))}
      </div>
      <p class="listen">
        <button type="button" aria-pressed={isHeard.value} onClick={listen}>
          {isHeard.value ? "Stop listening" : "Listen"}
          <span class="unseen"> to {stream.name}</span>
        </button>
        <span class="refusal" role="status">
          {refusal.value}
        </span>
      </p>
    </div>
  );
}

function Meter({ name, channel, level }: { name: string; channel: number; level: Level }) {
  const [rms, peak] = [decibels(level.rms), decibels(level.peak)];
  const share = (value: number) => 100 * (1 - value / decibelFloor);
  const words = rms > decibelFloor ? `${rms.toFixed(1)} dB` : "silent";
  return (
    <div class="level">
      <span>{channel}</span>
      <meter class="unseen" aria-label={`Level of ${name}`} min={decibelFloor} max={0} value={rms}>
        {words}
      </meter>
      <div class="bar">
        <i style={{ clipPath: `inset(0 ${100 - share(rms)}% 0 0)` }} />
        {peak > decibelFloor && <b style={{ left: `min(${share(peak)}%, 100% - 2px)` }} />}
      </div>
      <span>{words}</span>
    </div>
  );
}

/** What the drawings need of the sound so far: extremes for the wave, the samples of the next spectrum. */
function createSound(sampleRateHz: number) {
  const samplesOfPoint = Math.max(1, Math.round((waveSeconds * sampleRateHz) / wavePoints));
  const points: [number, number][] = [];
  const spectra: Float32Array[] = [];
  const pending = new Float32Array(spectrumSamples);
  let [low, high, count, held] = [0, 0, 0, 0];
  return {
    add(samples: Float32Array): void {
      for (const value of samples) {
        low = count === 0 ? value : Math.min(low, value);
        high = count === 0 ? value : Math.max(high, value);
        count += 1;
        if (count === samplesOfPoint) {
          points.push([low, high]);
          if (points.length > wavePoints) points.shift();
          count = 0;
        }
        pending[held++] = value;
        if (held === spectrumSamples) {
          spectra.push(spectrumOf(pending));
          if (spectra.length > spectrumColumns) spectra.shift();
          held = 0;
        }
      }
    },
    wave: () => points,
    takeSpectra: () => spectra.splice(0),
  };
}

function drawWave(canvas: HTMLCanvasElement, points: readonly [number, number][]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  const yOf = (value: number) => (height / 2) * (1 - Math.max(-1, Math.min(1, value)));
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  const start = width - points.length;
  for (const [index, [low, high]] of points.entries()) {
    context.fillRect(start + index, yOf(high), 1, Math.max(1, yOf(low) - yOf(high)));
  }
}

/** A column for each spectrum, the newest at the right; low frequencies below. */
function drawSpectra(canvas: HTMLCanvasElement, spectra: Float32Array[]): void {
  const context = canvas.getContext("2d");
  if (!context || spectra.length === 0) return;
  const { width, height } = canvas;
  context.drawImage(canvas, -spectra.length, 0);
  const image = context.createImageData(spectra.length, height);
  for (const [column, levels] of spectra.entries()) {
    for (let row = 0; row < height; row++) {
      const share = Math.min(
        1,
        Math.max(0, loudest(levels, height - 1 - row, height) / spectrumFloor),
      );
      const at = Math.round(share * 255) * 4;
      image.data.set(depthColours.subarray(at, at + 4), (row * spectra.length + column) * 4);
    }
  }
  context.putImageData(image, width - spectra.length, 0);
}

/** A row stands for several frequencies: a tone between two rows must not vanish. */
function loudest(levels: Float32Array, row: number, rows: number): number {
  const [from, to] = [row, row + 1].map((edge) => Math.floor((edge / rows) * levels.length));
  let most = spectrumFloor;
  for (let bin = from as number; bin < (to as number); bin++)
    most = Math.max(most, levels[bin] as number);
  return most;
}
