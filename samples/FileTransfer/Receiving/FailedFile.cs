namespace FileTransfer.Receiving;

/// <summary>A file that was not transferred.</summary>
/// <param name="Path">Which.</param>
/// <param name="Reason">Why, and what to do.</param>
internal sealed record FailedFile(string Path, string Reason);
