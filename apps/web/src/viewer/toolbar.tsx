import { ActionIcon, Menu, NumberInput, Tooltip } from "@mantine/core";
import {
  IconAdjustments,
  IconAngle,
  IconArrowsMove,
  IconArrowsVertical,
  IconCircleHalf2,
  IconContrast,
  IconFlipHorizontal,
  IconFlipVertical,
  IconLayoutGrid,
  IconPlayerPause,
  IconPlayerPlay,
  IconRefresh,
  IconRotateClockwise,
  IconRulerMeasure,
  IconTrash,
  IconZoomIn,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { type Layout, layouts } from "./commands.ts";
import type { Pane, PaneState } from "./pane.ts";
import { presetsFor } from "./presets.ts";
import type { PrimaryTool } from "./reading-room.ts";
import classes from "./viewer.module.css";

const tools = [
  { id: "window", label: "Window", key: "W", Icon: IconContrast },
  { id: "scroll", label: "Scroll", key: "S", Icon: IconArrowsVertical },
  { id: "zoom", label: "Zoom", key: "Z", Icon: IconZoomIn },
  { id: "pan", label: "Move", key: "P", Icon: IconArrowsMove },
  { id: "length", label: "Length", key: "L", Icon: IconRulerMeasure },
  { id: "angle", label: "Angle", key: "A", Icon: IconAngle },
] as const;

export interface ToolbarProps {
  readonly pane: Pane | undefined;
  readonly state: PaneState | undefined;
  readonly tool: PrimaryTool;
  onTool(tool: PrimaryTool): void;
  readonly layout: Layout;
  onLayout(layout: Layout): void;
  onRemoveMeasurements(): void;
}

export function Toolbar({ pane, state, tool, onTool, layout, onLayout, onRemoveMeasurements }: ToolbarProps) {
  const isEmpty = state?.stack === undefined;
  return (
    <div className={classes.toolbar} role="toolbar" aria-label="Tools">
      {tools.map(({ id, label, key, Icon }) => (
        <Tool key={id} label={`${label} (${key})`} pressed={tool === id} onClick={() => onTool(id)}>
          <Icon size={19} stroke={1.6} />
        </Tool>
      ))}
      <i className={classes.gap} />
      <PresetMenu pane={pane} state={state} />
      <Tool label="Invert (I)" pressed={state?.isInverted === true} disabled={isEmpty} onClick={() => pane?.invert()}>
        <IconCircleHalf2 size={19} stroke={1.6} />
      </Tool>
      <Tool label="Rotate by 90° (R)" disabled={isEmpty} onClick={() => pane?.rotate()}>
        <IconRotateClockwise size={19} stroke={1.6} />
      </Tool>
      <Tool label="Flip left and right (H)" disabled={isEmpty} onClick={() => pane?.flip("horizontal")}>
        <IconFlipVertical size={19} stroke={1.6} />
      </Tool>
      <Tool label="Flip top and bottom (V)" disabled={isEmpty} onClick={() => pane?.flip("vertical")}>
        <IconFlipHorizontal size={19} stroke={1.6} />
      </Tool>
      <Tool label="Reset the pane (0)" disabled={isEmpty} onClick={() => pane?.reset()}>
        <IconRefresh size={19} stroke={1.6} />
      </Tool>
      <Tool label="Remove all measurements" onClick={onRemoveMeasurements}>
        <IconTrash size={19} stroke={1.6} />
      </Tool>
      <i className={classes.gap} />
      <Cine pane={pane} state={state} />
      <LayoutMenu layout={layout} onLayout={onLayout} />
    </div>
  );
}

interface ToolProps {
  readonly label: string;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  onClick?(): void;
  readonly children: ReactNode;
}

function Tool({ label, pressed, disabled = false, onClick, children }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        className={classes.tool ?? ""}
        variant="subtle"
        color="gray"
        size={34}
        aria-label={label}
        {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
        disabled={disabled}
        {...(onClick === undefined ? {} : { onClick })}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

function PresetMenu({ pane, state }: Pick<ToolbarProps, "pane" | "state">) {
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <ActionIcon
          className={classes.tool ?? ""}
          variant="subtle"
          color="gray"
          size={34}
          aria-label="Window presets (1 – 9)"
          disabled={state?.stack === undefined || state.isColor}
        >
          <IconAdjustments size={19} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Window presets</Menu.Label>
        {presetsFor(state?.stack?.modality ?? "").map((preset) => (
          <Menu.Item
            key={preset.id}
            onClick={() => pane?.applyPreset(preset)}
            rightSection={
              <span className={classes.presetKey}>
                {preset.window === undefined ? "" : `${preset.window.width} / ${preset.window.center}`}{" "}
                <kbd>{preset.key}</kbd>
              </span>
            }
          >
            {preset.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Cine({ pane, state }: Pick<ToolbarProps, "pane" | "state">) {
  const canPlay = (state?.stack?.images.length ?? 0) > 1;
  return (
    <span className={classes.cine}>
      <Tool
        label={state?.playing === true ? "Pause (Space)" : "Play (Space)"}
        disabled={!canPlay}
        onClick={() => pane?.play(state?.playing !== true)}
      >
        {state?.playing === true ? (
          <IconPlayerPause size={19} stroke={1.6} />
        ) : (
          <IconPlayerPlay size={19} stroke={1.6} />
        )}
      </Tool>
      <NumberInput
        className={classes.rate}
        size="xs"
        value={state?.rate ?? 15}
        min={1}
        max={60}
        clampBehavior="strict"
        allowDecimal={false}
        disabled={!canPlay}
        aria-label="Frames per second"
        suffix=" /s"
        onChange={(value) => typeof value === "number" && pane?.setRate(value)}
      />
    </span>
  );
}

function LayoutMenu({ layout, onLayout }: Pick<ToolbarProps, "layout" | "onLayout">) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          className={classes.tool ?? ""}
          variant="subtle"
          color="gray"
          size={34}
          aria-label={`Layout (G): ${layout.label}`}
        >
          <IconLayoutGrid size={19} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Layout</Menu.Label>
        {layouts.map((each) => (
          <Menu.Item
            key={each.id}
            aria-current={each.id === layout.id}
            leftSection={<LayoutIcon layout={each} />}
            onClick={() => onLayout(each)}
          >
            {each.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function LayoutIcon({ layout }: { readonly layout: Layout }) {
  return (
    <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true" fill="none" stroke="currentColor">
      <rect x="0.5" y="0.5" width="17" height="13" />
      {layout.columns === 2 ? <path d="M9 0.5v13" /> : null}
      {layout.rows === 2 ? <path d="M0.5 7h17" /> : null}
    </svg>
  );
}
