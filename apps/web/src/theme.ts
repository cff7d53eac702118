import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from "@mantine/core";

/** The faint amber of lead glass: the one accent. */
const amber: MantineColorsTuple = [
  "#fbf6ea",
  "#f3e9cf",
  "#e8d5a4",
  "#dcbf76",
  "#d0aa52",
  "#b98f36",
  "#8f6c22",
  "#79591b",
  "#5f4616",
  "#463410",
];

/** For what cannot be taken back, and for what went wrong. */
const red: MantineColorsTuple = [
  "#fdf0ee",
  "#fbdcd8",
  "#f8bdb6",
  "#fda29b",
  "#ff9a8f",
  "#e5554a",
  "#cc3a2f",
  "#b42318",
  "#8f1c13",
  "#6d150e",
];

/** Neutral greys: nothing coloured lies beside an image. */
const dark: MantineColorsTuple = [
  "#e6e6e6",
  "#c4c4c4",
  "#a6a6a6",
  "#909090",
  "#3c3c3e",
  "#2e2e30",
  "#222224",
  "#161617",
  "#0f0f10",
  "#090909",
];

/** Mantine takes one colour for the letters on a filled button; here fills are dark in light and light in dark. */
const variantColors: VariantColorsResolver = (input) => {
  const usual = defaultVariantColorsResolver(input);
  return input.variant === "filled" ? { ...usual, color: "var(--lg-on-filled)" } : usual;
};

export const theme = createTheme({
  primaryColor: "amber",
  primaryShade: { light: 7, dark: 4 },
  variantColorResolver: variantColors,
  colors: { amber, red, dark },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "19px" },
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "20px" }, h2: { fontSize: "16px" }, h3: { fontSize: "14px" } },
  },
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: true } },
    Modal: {
      defaultProps: {
        centered: true,
        transitionProps: { duration: 120 },
        closeButtonProps: { "aria-label": "Close" },
      },
    },
  },
});

/** Mantine's own light greys for dimmed and placeholder text fall short of 4.5:1. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#fafaf8",
    "--mantine-color-text": "#1d1d1f",
    "--mantine-color-dimmed": "#5d6066",
    "--mantine-color-placeholder": "#6c6f76",
    "--mantine-color-error": "#b42318",
    "--lg-line": "#e1e0dc",
    "--lg-panel": "#ffffff",
    "--lg-hover": "#f2f0ea",
    "--lg-selected": "#f6edd6",
    "--lg-accent": "#79591b",
    "--lg-on-filled": "#ffffff",
    "--lg-flash": "#f3e3b6",
  },
  dark: {
    "--mantine-color-error": "#ff9a8f",
    "--lg-line": "#2e2e30",
    "--lg-panel": "#1c1c1e",
    "--lg-hover": "#232325",
    "--lg-selected": "#332c1c",
    "--lg-accent": "#d0aa52",
    "--lg-on-filled": "#17130a",
    "--lg-flash": "#4a3c1a",
  },
});
