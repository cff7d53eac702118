import { Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import classes from "../shell/shell.module.css";

export function Page({
  title,
  heading = title,
  about,
  children,
}: {
  /** Of the document as well, where the browser keeps it: no name in it. */
  readonly title: string;
  /** What stands at the top instead. */
  readonly heading?: string;
  readonly about?: ReactNode;
  readonly children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Leadglass`;
    return () => {
      document.title = "Leadglass";
    };
  }, [title]);
  return (
    <div className={classes.page}>
      <div className={classes.pageInner}>
        <div className={classes.pageHead}>
          <Title order={1}>{heading}</Title>
          {about === undefined ? null : (
            <Text c="dimmed" size="sm">
              {about}
            </Text>
          )}
        </div>
        {children}
      </div>
    </div>
  );
}
