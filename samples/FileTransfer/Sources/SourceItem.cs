using FileTransfer.Protocol;

namespace FileTransfer.Sources;

/// <summary>Something that a walk through a source found.</summary>
internal abstract record SourceItem;

/// <summary>Something that is transferred.</summary>
/// <param name="Entry">As both sides name it.</param>
/// <param name="Mount">Where it comes from.</param>
/// <param name="LocalPath">Its path below the mount's directory.</param>
internal sealed record FoundEntry(FileEntry Entry, Mount Mount, string LocalPath) : SourceItem;

/// <summary>Something that cannot be transferred.</summary>
internal sealed record FoundFailure(FailedFile Failure) : SourceItem;

/// <summary>Something that is left out by a rule that is stated.</summary>
internal sealed record PassedOver(FailedFile What) : SourceItem;
