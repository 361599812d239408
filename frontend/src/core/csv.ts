/** Tables as text, and files for the user to keep. */

/** Comma-separated values with a header; fields are quoted where they must be. */
export function toCsv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const quote = (value: string | number) => {
    const text = String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(quote).join(",")).join("\n") + "\n";
}

/** Hand a file to the browser to save. */
export function save(name: string, content: BlobPart, type = "text/csv"): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
