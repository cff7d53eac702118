/** A pane of lead glass with light across it. */
export function Mark({ size = 20 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="var(--lg-accent)">
      <rect x="2" y="2" width="16" height="16" rx="2" strokeWidth="2" />
      <path d="M3 12 12 3M9 17 17 9" strokeWidth="1.3" opacity="0.75" />
    </svg>
  );
}
