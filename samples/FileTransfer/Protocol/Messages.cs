using System.Text.Json.Serialization;

namespace FileTransfer.Protocol;

/// <summary>A file as both sides name it: a relative path with slashes, its size, and when it was last written.</summary>
/// <param name="Path">The path.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Modified">Milliseconds since 1970. With the size it tells one version of the file from another.</param>
/// <param name="Have">Bytes of this version that the receiver has: sending starts there.</param>
internal sealed record FileEntry(string Path, long Size, long Modified, long Have = 0);

/// <summary>Asks for files, or what there is.</summary>
/// <param name="Paths">Files and directories; empty: everything.</param>
/// <param name="Have">What the receiver has of them already, whole or in part.</param>
internal sealed record GetRequest(IReadOnlyList<string> Paths, IReadOnlyList<FileEntry> Have);

/// <summary>Offers files.</summary>
/// <param name="Files">Which.</param>
internal sealed record PutOffer(IReadOnlyList<FileEntry> Files);

/// <summary>Takes an offer.</summary>
/// <param name="Have">What the receiver has already: the entries of the offer of which it has something.</param>
internal sealed record PutGrant(IReadOnlyList<FileEntry> Have);

/// <summary>Describes files that follow.</summary>
/// <param name="First">The number of the first of them in the request.</param>
/// <param name="Files">The files.</param>
internal sealed record Manifest(uint First, IReadOnlyList<FileEntry> Files);

/// <summary>Why something is not done.</summary>
/// <param name="Reason">For people.</param>
internal sealed record Failure(string Reason);

/// <summary>The end of a request.</summary>
/// <param name="Files">Files described.</param>
/// <param name="Bytes">Bytes sent.</param>
/// <param name="Failed">Files that could not be sent.</param>
internal sealed record Done(long Files, long Bytes, long Failed);

/// <summary>How far the sender is.</summary>
/// <param name="Files">Files described so far.</param>
/// <param name="Total">Their bytes, without what the receiver had.</param>
/// <param name="Sent">Bytes that the receiver has confirmed.</param>
internal sealed record SenderProgress(long Files, long Total, long Sent);

/// <summary>The first line on a stream that follows a file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where to begin; negative: so many bytes before its end.</param>
/// <param name="Follow">Go on with what is written to it later.</param>
internal sealed record TailRequest(string Path, long Offset, bool Follow);

/// <summary>The first line of the answer; the file's bytes follow it.</summary>
/// <param name="Error">Why not; null: it comes.</param>
internal sealed record TailAnswer(string? Error);

/// <summary>The messages as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(GetRequest))]
[JsonSerializable(typeof(PutOffer))]
[JsonSerializable(typeof(PutGrant))]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(Failure))]
[JsonSerializable(typeof(Done))]
[JsonSerializable(typeof(SenderProgress))]
[JsonSerializable(typeof(TailRequest))]
[JsonSerializable(typeof(TailAnswer))]
internal sealed partial class ProtocolJson : JsonSerializerContext;
