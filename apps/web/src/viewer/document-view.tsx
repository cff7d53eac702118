import { Button, Text } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { retrieve } from "../api/client.ts";
import { wordsOf } from "../shell/problem-note.tsx";
import { dicomDate, dicomTime } from "../words/dicom-words.ts";
import { type DataSet, items, tags, text } from "./data-set.ts";
import { pathOf, readBulk } from "./series-metadata.ts";
import type { DocumentObject } from "./stacks.ts";
import classes from "./viewer.module.css";

const depthMax = 12;

/** An object without a picture: what it is, and what of it can be read here. */
export function DocumentView({ document }: { readonly document: DocumentObject }) {
  const tree = items(document.instance, tags.contentSequence);
  return (
    <div className={classes.document}>
      <div className={classes.documentHead}>
        <IconFileText size={22} stroke={1.5} aria-hidden />
        <div>
          <Text fw={600}>{document.title}</Text>
          <Text size="sm" c="dimmed">
            {document.what}
            {document.note === "" ? "" : ` · ${document.note}`}
          </Text>
        </div>
      </div>
      {document.what === "PDF document" ? <OpenPdf document={document} /> : null}
      {tree.length === 0 ? null : <Content nodes={tree} depth={0} />}
    </div>
  );
}

/** The PDF is opened from memory, so that its address holds nothing. */
function OpenPdf({ document }: { readonly document: DocumentObject }) {
  const open = useMutation({
    mutationFn: async () => {
      const uri = document.instance[tags.encapsulatedDocument]?.BulkDataURI;
      const root = document.path.slice(0, document.path.indexOf("/instances/"));
      const bytes =
        uri === undefined
          ? await (await retrieve(`${document.path}/rendered`, "application/pdf")).bytes()
          : await readBulk(pathOf(uri, root));
      return URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "application/pdf" }));
    },
    onSuccess: (url) => {
      window.open(url, "_blank", "noopener");
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
  });
  return (
    <div>
      <Button size="sm" loading={open.isPending} onClick={() => open.mutate()}>
        Open the PDF
      </Button>
      {open.isError ? (
        <Text c="var(--mantine-color-error)" size="sm" mt={6} role="alert">
          {wordsOf(open.error).message}
        </Text>
      ) : null}
    </div>
  );
}

/** The content tree of a structured report (PS3.3 C.17.3), to a fixed depth. */
function Content({ nodes, depth }: { readonly nodes: readonly DataSet[]; readonly depth: number }) {
  return (
    <ul className={classes.content}>
      {nodes.map((node, index) => {
        const name = text(items(node, tags.conceptName)[0], tags.codeMeaning);
        const children = items(node, tags.contentSequence);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the tree is as it was stored and never changes order
          <li key={index}>
            {name === "" ? null : <span className={classes.concept}>{name}</span>} {contentValue(node)}
            {children.length > 0 && depth < depthMax ? <Content nodes={children} depth={depth + 1} /> : null}
          </li>
        );
      })}
    </ul>
  );
}

function contentValue(node: DataSet): string {
  switch (text(node, tags.valueType)) {
    case "TEXT":
      return text(node, tags.textValue);
    case "CODE":
      return text(items(node, tags.conceptCode)[0], tags.codeMeaning);
    case "NUM": {
      const measured = items(node, tags.measuredValue)[0];
      const unit = text(items(measured, tags.unitsCode)[0], tags.codeMeaning);
      return `${text(measured, tags.numericValue)} ${unit === "no units" ? "" : unit}`.trim();
    }
    case "PNAME":
      return text(node, tags.personNameValue);
    case "DATE":
      return dicomDate(text(node, tags.dateValue));
    case "TIME":
      return dicomTime(text(node, tags.timeValue));
    case "DATETIME":
      return text(node, tags.dateTimeValue);
    case "UIDREF":
      return text(node, tags.uidValue);
    case "IMAGE":
      return "(an image)";
    default:
      return "";
  }
}
