import { cache, Enums, eventTarget, type Types, utilities } from "@cornerstonejs/core";
import { number, tags } from "./data-set.ts";
import { cross, type Markers, markersFor, type Vector } from "./orientation.ts";
import { createPrefetch } from "./prefetch.ts";
import type { WindowPreset } from "./presets.ts";
import { cacheBytesMax, type ReadingRoom } from "./reading-room.ts";
import { depth, type Stack, type StackImage } from "./stacks.ts";
import { createStore, type Store } from "./store.ts";

export interface PaneState {
  readonly stack: Stack | undefined;
  /** From 0. */
  readonly index: number;
  /** Empty, the first picture on its way, there, or refused. */
  readonly status: "empty" | "loading" | "ready" | "failed";
  readonly problem: string;
  readonly windowWidth: number | undefined;
  readonly windowCenter: number | undefined;
  readonly isColor: boolean;
  /** Screen pixels for one pixel of the image. */
  readonly zoom: number;
  readonly rotation: number;
  readonly isInverted: boolean;
  readonly markers: Markers | undefined;
  /** Millimetres. */
  readonly location: number | undefined;
  readonly thickness: number | undefined;
  /** Frames a second while it plays. */
  readonly playing: boolean;
  readonly rate: number;
}

/** One viewport and what a reader does with it. */
export interface Pane {
  readonly state: Store<PaneState>;
  show(stack: Stack | undefined): void;
  goTo(index: number): void;
  move(by: number): void;
  applyPreset(preset: WindowPreset): void;
  rotate(): void;
  flip(way: "horizontal" | "vertical"): void;
  invert(): void;
  reset(): void;
  play(on: boolean): void;
  setRate(framesPerSecond: number): void;
  close(): void;
}

const empty: PaneState = {
  stack: undefined,
  index: 0,
  status: "empty",
  problem: "",
  windowWidth: undefined,
  windowCenter: undefined,
  isColor: false,
  zoom: 1,
  rotation: 0,
  isInverted: false,
  markers: undefined,
  location: undefined,
  thickness: undefined,
  playing: false,
  rate: 15,
};

export interface PaneOptions {
  readonly room: ReadingRoom;
  readonly element: HTMLDivElement;
  readonly viewportId: string;
  /** How many panes share the memory. */
  paneCount(): number;
}

export function openPane({ room, element, viewportId, paneCount }: PaneOptions): Pane {
  const state = createStore(empty);
  const prefetch = createPrefetch(() => cacheBytesMax() / Math.max(1, paneCount()));
  room.engine.enableElement({
    viewportId,
    type: Enums.ViewportType.STACK,
    element,
    defaultOptions: { background: [0, 0, 0] },
  });
  room.addPane(viewportId);
  const viewport = room.engine.getViewport(viewportId) as Types.IStackViewport;
  const stopListening = listen(element, viewport, state, (index) => {
    const { stack } = state.get();
    if (stack !== undefined) prefetch.around(stack, index);
  });
  const cine = createCine(viewport, state);
  const isReady = () => state.get().status === "ready";
  return {
    state,
    show: (stack) => {
      cine.stop();
      prefetch.stop();
      showStack(room, viewport, state, stack);
    },
    goTo: (index) => goTo(viewport, state, index),
    move: (by) => goTo(viewport, state, viewport.getTargetImageIdIndex() + by),
    applyPreset: (preset) => isReady() && applyPreset(viewport, preset),
    rotate: () => isReady() && turn(viewport, { rotation: (viewport.getRotation() + 90) % 360 }, state),
    flip: (way) => {
      if (!isReady()) return;
      const { flipHorizontal = false, flipVertical = false } = viewport.getCamera();
      turn(
        viewport,
        way === "horizontal" ? { flipHorizontal: !flipHorizontal } : { flipVertical: !flipVertical },
        state,
      );
    },
    invert: () => {
      if (!isReady()) return;
      viewport.setProperties({ invert: viewport.getProperties().invert !== true });
      viewport.render();
    },
    reset: () => {
      if (!isReady()) return;
      viewport.resetProperties();
      viewport.resetCamera();
      turn(viewport, { rotation: 0, flipHorizontal: false, flipVertical: false }, state);
    },
    play: (on) => (on ? cine.start() : cine.stop()),
    setRate: (rate) => state.change({ rate: Math.min(60, Math.max(1, Math.round(rate))) }),
    close: () => {
      cine.stop();
      prefetch.stop();
      stopListening();
      room.engine.disableElement(viewportId);
    },
  };
}

function showStack(
  room: ReadingRoom,
  viewport: Types.IStackViewport,
  state: Store<PaneState>,
  stack: Stack | undefined,
): void {
  if (stack === undefined) {
    state.change(empty);
    return;
  }
  state.change({ ...empty, stack, status: "loading", rate: stack.rate });
  room.describe(stack);
  viewport
    .setStack(
      stack.images.map((image) => image.imageId),
      0,
    )
    .catch((error: unknown) => {
      if (state.get().stack === stack) state.change({ status: "failed", problem: wordsOf(error) });
    });
}

function goTo(viewport: Types.IStackViewport, state: Store<PaneState>, index: number): void {
  const { stack, status } = state.get();
  if (stack === undefined || status === "empty") return;
  const target = Math.max(0, Math.min(stack.images.length - 1, index));
  viewport.scroll(target - viewport.getTargetImageIdIndex());
}

function applyPreset(viewport: Types.IStackViewport, preset: WindowPreset): void {
  if (preset.window !== undefined) {
    const { width, center } = preset.window;
    viewport.setProperties({ voiRange: utilities.windowLevel.toLowHighRange(width, center) });
  } else if (preset.id === "full") {
    const image = viewport.getCornerstoneImage();
    viewport.setProperties({
      voiRange: { lower: image.minPixelValue, upper: Math.max(image.maxPixelValue, image.minPixelValue + 1) },
    });
  } else {
    const { invert } = viewport.getProperties();
    viewport.resetProperties();
    viewport.setProperties({ invert: invert === true });
  }
  viewport.render();
}

function turn(
  viewport: Types.IStackViewport,
  how: { rotation?: number; flipHorizontal?: boolean; flipVertical?: boolean },
  state: Store<PaneState>,
): void {
  viewport.setViewPresentation({
    ...viewport.getViewPresentation({
      rotation: true,
      pan: false,
      zoom: false,
      flipHorizontal: true,
      flipVertical: true,
    }),
    ...how,
  });
  viewport.render();
  state.change(cameraState(viewport, state.get()));
}

/** Brings what the viewport says into the state; gives the way to stop. */
function listen(
  element: HTMLDivElement,
  viewport: Types.IStackViewport,
  state: Store<PaneState>,
  onImage: (index: number) => void,
): () => void {
  const { Events } = Enums;
  const shown = () => {
    const { stack } = state.get();
    const index = viewport.getCurrentImageIdIndex();
    const image = stack?.images[index];
    if (image === undefined) return;
    onImage(index);
    const drawn = viewport.getCornerstoneImage();
    if (drawn !== undefined && drawn.width > 0 && drawn.height > 0) {
      state.change({ index, status: "ready", problem: "", ...imageState(image) });
    } else {
      // A decoder that met damaged data may give an image of no size instead of an error.
      state.change({ index, status: "failed", problem: wordsOf("its data is damaged") });
    }
  };
  const drawn = () => {
    if (state.get().status === "ready")
      state.change({ ...propertyState(viewport), ...cameraState(viewport, state.get()) });
  };
  const refused = (event: Event) => {
    const { detail } = event as CustomEvent<LoadError | readonly PromiseRejectedResult[]>;
    if (isList(detail)) {
      // An image that was decoded and then could not be drawn comes as a rejection without its name.
      if (state.get().status === "loading") state.change({ status: "failed", problem: wordsOf(detail[0]?.reason) });
      return;
    }
    const { stack } = state.get();
    const index = stack?.images.findIndex((image) => image.imageId === detail.imageId) ?? -1;
    if (index === viewport.getTargetImageIdIndex())
      state.change({ index, status: "failed", problem: wordsOf(detail.error) });
  };
  element.addEventListener(Events.STACK_NEW_IMAGE, shown);
  element.addEventListener(Events.IMAGE_RENDERED, drawn);
  element.addEventListener(Events.CAMERA_MODIFIED, drawn);
  element.addEventListener(Events.VOI_MODIFIED, drawn);
  eventTarget.addEventListener(Events.IMAGE_LOAD_ERROR, refused);
  return () => {
    element.removeEventListener(Events.STACK_NEW_IMAGE, shown);
    element.removeEventListener(Events.IMAGE_RENDERED, drawn);
    element.removeEventListener(Events.CAMERA_MODIFIED, drawn);
    element.removeEventListener(Events.VOI_MODIFIED, drawn);
    eventTarget.removeEventListener(Events.IMAGE_LOAD_ERROR, refused);
  };
}

interface LoadError {
  readonly imageId?: string;
  readonly error?: unknown;
}

function isList(detail: LoadError | readonly PromiseRejectedResult[]): detail is readonly PromiseRejectedResult[] {
  return Array.isArray(detail);
}

function imageState({ instance }: StackImage): Partial<PaneState> {
  const along = depth(instance);
  return {
    location: number(instance, tags.sliceLocation) ?? (Number.isNaN(along) ? undefined : along),
    thickness: number(instance, tags.sliceThickness),
  };
}

function propertyState(viewport: Types.IStackViewport): Partial<PaneState> {
  const { voiRange, invert } = viewport.getProperties();
  const image = viewport.getCornerstoneImage();
  const window =
    voiRange === undefined ? undefined : utilities.windowLevel.toWindowLevel(voiRange.lower, voiRange.upper);
  return {
    isColor: image?.color === true,
    isInverted: (invert === true) !== (image?.invert === true),
    windowWidth: window?.windowWidth,
    windowCenter: window?.windowCenter,
  };
}

function cameraState(viewport: Types.IStackViewport, { stack, index, markers: before }: PaneState): Partial<PaneState> {
  const { viewUp, viewPlaneNormal, parallelScale = 1 } = viewport.getCamera();
  const image = viewport.getCornerstoneImage();
  const instance = stack?.images[index]?.instance;
  if (viewUp === undefined || viewPlaneNormal === undefined || instance === undefined) return {};
  const up = viewUp as unknown as Vector;
  const markers = markersFor(instance, cross(up, viewPlaneNormal as unknown as Vector), up);
  const millimetresPerPixel = image?.rowPixelSpacing || 1;
  return {
    zoom: (viewport.element.clientHeight / (2 * parallelScale)) * millimetresPerPixel,
    rotation: Math.round(viewport.getRotation()),
    markers: sameMarkers(markers, before) ? before : markers,
  };
}

function sameMarkers(one: Markers | undefined, other: Markers | undefined): boolean {
  return one?.left === other?.left && one?.top === other?.top && (one === undefined) === (other === undefined);
}

/** Plays by the clock, but never past an image that is not there yet: it waits for it instead of skipping. */
function createCine(viewport: Types.IStackViewport, state: Store<PaneState>): { start(): void; stop(): void } {
  let handle: number | undefined;
  let due = 0;
  const step = (now: number) => {
    handle = requestAnimationFrame(step);
    const { stack, rate } = state.get();
    if (stack === undefined || now < due) return;
    const at = viewport.getCurrentImageIdIndex();
    if (at !== viewport.getTargetImageIdIndex()) return;
    const next = (at + 1) % stack.images.length;
    const imageId = stack.images[next]?.imageId;
    if (imageId === undefined) return;
    due = Math.max(due + 1000 / rate, now);
    if (cache.isLoaded(imageId) || at !== next) void viewport.setImageIdIndex(next);
  };
  return {
    start() {
      const { stack, status } = state.get();
      if (handle !== undefined || stack === undefined || stack.images.length < 2 || status === "empty") return;
      state.change({ playing: true });
      due = 0;
      handle = requestAnimationFrame(step);
    },
    stop() {
      if (handle !== undefined) cancelAnimationFrame(handle);
      handle = undefined;
      state.change({ playing: false });
    },
  };
}

/** A refusal to load is an XMLHttpRequest, a refusal to decode an error or a text. */
function wordsOf(error: unknown): string {
  if (error instanceof XMLHttpRequest) {
    if (error.status === 0) return "The server cannot be reached. Check the network; scroll to try again.";
    if (error.status === 401) return "You were signed out. Sign in again to go on.";
    return `The server did not give this image (status ${error.status}).`;
  }
  const reason = error instanceof Error ? error.message : typeof error === "string" ? error : "";
  return `This image cannot be drawn here${reason === "" ? "" : `: ${reason}`}. It is stored as it came; retrieve it with a workstation.`;
}
