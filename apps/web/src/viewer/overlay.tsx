import type { StudyDetail } from "#formats/api";
import { ageInYears, dicomDate, dicomTime, personName } from "../words/dicom-words.ts";
import type { PaneState } from "./pane.ts";
import classes from "./viewer.module.css";

/** The texts in the corners and the letters at the edges. */
export function Overlay({ study, state }: { readonly study: StudyDetail; readonly state: PaneState }) {
  const { stack, markers } = state;
  if (stack === undefined) return null;
  const age = ageInYears(study.birthDate, study.studyDate);
  const born = [dicomDate(study.birthDate), age === undefined ? "" : `${age} y`, study.sex]
    .filter((part) => part !== "")
    .join(" · ");
  const frame = stack.images[state.index]?.frame ?? 1;
  return (
    <div className={classes.overlay} data-testid="overlay">
      <div className={classes.topLeft}>
        <b>{personName(study.patientName) || "No name"}</b>
        <span>{study.patientId}</span>
        <span className={classes.more}>{born}</span>
      </div>
      <div className={classes.topRight}>
        <span className={classes.more}>{study.description}</span>
        <span className={classes.more}>
          {dicomDate(study.studyDate)} {dicomTime(study.studyTime)}
        </span>
        <span>
          {stack.modality} · {stack.title}
        </span>
      </div>
      <div className={classes.bottomLeft}>
        <span data-testid="image-number">
          Image {state.index + 1} / {stack.images.length}
          {frame > 1 || state.playing ? ` · frame ${frame}` : ""}
        </span>
        {state.isColor || state.windowWidth === undefined || state.windowCenter === undefined ? null : (
          <span data-testid="window">
            W {rounded(state.windowWidth)} L {rounded(state.windowCenter)}
          </span>
        )}
      </div>
      <div className={classes.bottomRight}>
        {state.location === undefined ? null : <span className={classes.more}>Loc {state.location.toFixed(1)} mm</span>}
        {state.thickness === undefined ? null : (
          <span className={classes.more}>Thick {state.thickness.toFixed(1)} mm</span>
        )}
        <span>
          Zoom {state.zoom.toFixed(2)}
          {state.rotation === 0 ? "" : ` · ${state.rotation}°`}
          {state.isInverted ? " · inverted" : ""}
        </span>
      </div>
      {markers === undefined ? null : (
        <>
          <span className={classes.markerTop}>{markers.top}</span>
          <span className={classes.markerBottom}>{markers.bottom}</span>
          <span className={classes.markerLeft}>{markers.left}</span>
          <span className={classes.markerRight}>{markers.right}</span>
        </>
      )}
    </div>
  );
}

/** Windows of small values (PET, parametric maps) need their decimals. */
function rounded(value: number): string {
  return Math.abs(value) >= 20 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
