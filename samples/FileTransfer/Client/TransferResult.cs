using FileTransfer.Protocol;

namespace FileTransfer.Client;

/// <summary>What a transfer came to.</summary>
/// <param name="Failed">Files that were not transferred.</param>
/// <param name="Stopped">Why the destination could not go on; null: it could.</param>
internal sealed record TransferResult(IReadOnlyList<FailedFile> Failed, string? Stopped);
