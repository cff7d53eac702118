import {
  cache,
  Enums,
  imageLoader,
  init as initCore,
  isCornerstoneInitialized,
  RenderingEngine,
} from "@cornerstonejs/core";
import dicomImageLoader from "@cornerstonejs/dicom-image-loader";
import {
  AngleTool,
  addTool,
  annotation,
  destroy as destroyTools,
  init as initTools,
  LengthTool,
  PanTool,
  StackScrollTool,
  Enums as ToolEnums,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
} from "@cornerstonejs/tools";
import { forDecoder } from "./decodable.ts";
import { drawnByServer, loadDrawnImage } from "./drawn-by-server.ts";
import type { Stack } from "./stacks.ts";

export const engineId = "reading";
const toolGroupId = "reading";

export type PrimaryTool = "window" | "scroll" | "zoom" | "pan" | "length" | "angle";

const toolNames: Readonly<Record<PrimaryTool, string>> = {
  window: WindowLevelTool.toolName,
  scroll: StackScrollTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  length: LengthTool.toolName,
  angle: AngleTool.toolName,
};

const { MouseBindings } = ToolEnums;

/** What stays on its own button or gesture, whichever tool the first button has. */
const fixedBindings: Readonly<
  Partial<Record<PrimaryTool, readonly { mouseButton?: number; numTouchPoints?: number }[]>>
> = {
  scroll: [{ mouseButton: MouseBindings.Wheel }],
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
  pan: [{ mouseButton: MouseBindings.Auxiliary }],
};

/** The rendering, decoding and measuring of one visit to the viewer. Everything it holds is in memory and goes with `close`. */
export interface ReadingRoom {
  readonly engine: RenderingEngine;
  /** Tells the decoders what each image of a stack is. */
  describe(stack: Stack): void;
  addPane(viewportId: string): void;
  /** Fits every pane to its new size; what a reader zoomed, moved and turned stays so in proportion. */
  fit(): void;
  setPrimaryTool(tool: PrimaryTool): void;
  /** Removes the selected measurements, or the last one made. */
  removeMeasurement(): void;
  removeMeasurements(): void;
  close(): void;
}

/** Decoded images are kept up to this; the least recently shown go first. */
export function cacheBytesMax(): number {
  const memory = (navigator as { readonly deviceMemory?: number }).deviceMemory ?? 4;
  return memory <= 2 ? 160_000_000 : memory <= 4 ? 400_000_000 : 900_000_000;
}

export async function openReadingRoom(): Promise<ReadingRoom> {
  if (!isCornerstoneInitialized()) {
    // One context draws all panes: a browser gives a page few, and a phone fewer.
    await initCore({ rendering: { webGlContextCount: 1 }, debug: { statsOverlay: false } });
    dicomImageLoader.init({ maxWebWorkers: Math.min(4, Math.max(1, (navigator.hardwareConcurrency ?? 2) - 1)) });
    imageLoader.registerImageLoader(drawnByServer, loadDrawnImage);
  }
  // Not at the end of the visit before: frames that were still on their way then needed it. Signing out loads the page anew.
  dicomImageLoader.wadors.metaDataManager.purge();
  initTools();
  for (const tool of [WindowLevelTool, StackScrollTool, ZoomTool, PanTool, LengthTool, AngleTool]) addTool(tool);
  cache.setMaxCacheSize(cacheBytesMax());
  styleMeasurements();
  const engine = new RenderingEngine(engineId);
  const tools = ToolGroupManager.createToolGroup(toolGroupId);
  if (tools === undefined) throw new Error("The viewer is open twice in this page.");
  for (const name of Object.values(toolNames)) tools.addTool(name);
  const setPrimaryTool = (primary: PrimaryTool) => {
    for (const [tool, name] of Object.entries(toolNames) as [PrimaryTool, string][]) {
      tools.setToolPassive(name, { removeAllBindings: true });
      const bindings = [
        ...(fixedBindings[tool] ?? []),
        ...(tool === primary ? [{ mouseButton: MouseBindings.Primary }] : []),
      ];
      if (bindings.length > 0) tools.setToolActive(name, { bindings });
    }
  };
  setPrimaryTool("window");
  return {
    engine,
    describe: (stack) => {
      for (const { imageId, instance } of stack.images) {
        dicomImageLoader.wadors.metaDataManager.add(imageId, forDecoder(instance) as never);
      }
    },
    fit: () => {
      const before = engine
        .getViewports()
        .map((viewport) => ({ viewport, presentation: viewport.getViewPresentation() }));
      engine.resize(true, false);
      for (const { viewport, presentation } of before) viewport.setViewPresentation(presentation);
      engine.render();
    },
    addPane: (viewportId) => tools.addViewport(viewportId, engineId),
    setPrimaryTool,
    removeMeasurement,
    removeMeasurements: () => {
      annotation.state.removeAllAnnotations();
      engine.render();
    },
    close: () => {
      annotation.state.removeAllAnnotations();
      ToolGroupManager.destroyToolGroup(toolGroupId);
      engine.destroy();
      destroyTools();
      cache.purgeCache();
    },
  };

  function removeMeasurement(): void {
    const made = annotation.state.getAllAnnotations().flatMap(({ annotationUID }) => annotationUID ?? []);
    // What was removed stays selected until it is told otherwise.
    const selected = annotation.selection.getAnnotationsSelected().filter((uid) => made.includes(uid));
    annotation.selection.deselectAnnotation();
    for (const uid of selected.length > 0 ? selected : made.slice(-1)) annotation.state.removeAnnotation(uid);
    engine.render();
  }
}

/** Measurements in the one accent, readable on white and on black. */
function styleMeasurements(): void {
  const { style } = annotation.config;
  const usual = style.getDefaultToolStyles();
  style.setDefaultToolStyles({
    ...usual,
    global: {
      ...usual.global,
      color: "rgb(240, 201, 104)",
      colorHighlighted: "rgb(255, 226, 150)",
      colorSelected: "rgb(255, 226, 150)",
      colorLocked: "rgb(240, 201, 104)",
      lineWidth: "1.5",
      lineDash: "",
      shadow: true,
      textBoxFontFamily: "system-ui, sans-serif",
      textBoxFontSize: "13px",
      textBoxColor: "rgb(240, 201, 104)",
      textBoxColorHighlighted: "rgb(255, 226, 150)",
      textBoxColorSelected: "rgb(255, 226, 150)",
      textBoxColorLocked: "rgb(240, 201, 104)",
      textBoxLinkLineWidth: "1",
      textBoxLinkLineDash: "2,3",
      markerSize: "10",
    },
  });
}

export const viewportEvents = Enums.Events;
