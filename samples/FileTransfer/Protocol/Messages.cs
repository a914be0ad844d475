using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Protocol;

/// <summary>Asks for files, or what there is.</summary>
/// <param name="Paths">Files and directories; empty: everything.</param>
/// <param name="Exclude">Names and paths to leave out, with * and ?; see <see cref="Sources.Exclusions"/>.</param>
/// <param name="Depth">How many levels of directories to go down; 0: all.</param>
/// <param name="Checksum">Whether each file is listed with its hash.</param>
/// <param name="BytesPerSecond">How fast to send at most; 0: as fast as the network allows.</param>
internal sealed record GetRequest(
    IReadOnlyList<string> Paths, IReadOnlyList<string>? Exclude = null, int Depth = 0, bool Checksum = false, long BytesPerSecond = 0);

/// <summary>Asks to be allowed to put files.</summary>
/// <param name="Client">A secret of the client's: who has the same may take over what a run that was killed left locked.</param>
/// <param name="DryRun">Nothing is to be changed, only said.</param>
internal sealed record PutRequest(byte[] Client, bool DryRun = false);

/// <summary>Something that the source has, as both sides name it.</summary>
/// <param name="Path">The path, relative and with slashes.</param>
/// <param name="Kind">A file, a directory or a link.</param>
/// <param name="Size">Bytes of a file; names in a directory, -1 where they were not counted.</param>
/// <param name="Seconds">When it was last written: seconds since 1970.</param>
/// <param name="Nanoseconds">And nanoseconds. Size and time tell one version of a file from another.</param>
/// <param name="Mode">Permissions as Unix counts them; null where there are none of this kind.</param>
/// <param name="Target">Where a link points to.</param>
/// <param name="Hash">The SHA-256 of a file, where it was asked for.</param>
internal sealed record FileEntry(
    string Path,
    FileKind Kind = FileKind.File,
    long Size = 0,
    long Seconds = 0,
    int Nanoseconds = 0,
    int? Mode = null,
    string? Target = null,
    byte[]? Hash = null)
{
    [JsonIgnore]
    public FileTime Modified => new(Seconds, Nanoseconds);
}

/// <summary>Something that is not transferred.</summary>
/// <param name="Path">Which.</param>
/// <param name="Reason">Why, and what to do.</param>
internal sealed record FailedFile(string Path, string Reason);

/// <summary>Some of what the source has.</summary>
/// <param name="First">The number of its first entry in the request.</param>
/// <param name="Entries">Files, directories and links; a directory comes before what is in it.</param>
/// <param name="Failed">What is there and cannot be transferred.</param>
/// <param name="PassedOver">What is there and is left out by a rule that is stated: links that lead out of the tree.</param>
internal sealed record Listing(
    uint First, IReadOnlyList<FileEntry> Entries, IReadOnlyList<FailedFile> Failed, IReadOnlyList<FailedFile> PassedOver);

/// <summary>The end of all listings.</summary>
/// <param name="Entries">Entries in all.</param>
/// <param name="Failed">And those that cannot be transferred.</param>
internal sealed record ListingEnd(long Entries, long Failed);

/// <summary>Answers a listing.</summary>
/// <param name="First">The number of the listing's first entry.</param>
/// <param name="Files">The files of it that are to be sent.</param>
internal sealed record Want(uint First, IReadOnlyList<WantedFile> Files);

/// <summary>A file that is to be sent.</summary>
/// <param name="Number">Its number in the request.</param>
/// <param name="From">From which byte on: the destination has those before.</param>
internal sealed record WantedFile(uint Number, long From = 0);

/// <summary>Why something is not done.</summary>
/// <param name="Reason">For people.</param>
internal sealed record Failure(string Reason);

/// <summary>The source has sent everything.</summary>
/// <param name="Files">Files sent whole.</param>
/// <param name="Bytes">Their bytes, without those that the destination had and without holes.</param>
/// <param name="Failed">Files that were wanted and could not be sent.</param>
/// <param name="IsStopped">It was stopped before the end.</param>
internal sealed record Done(long Files, long Bytes, long Failed, bool IsStopped = false);

/// <summary>What the destination could not take.</summary>
/// <param name="Files">Which, and why.</param>
internal sealed record Failures(IReadOnlyList<FailedFile> Files);

/// <summary>The end of a transfer, as the destination sees it.</summary>
/// <param name="Files">Files that are complete there.</param>
/// <param name="AlreadyThere">Those of them that were complete before.</param>
/// <param name="Bytes">Bytes that it received.</param>
/// <param name="Failed">How many it told of in <see cref="Failures"/>.</param>
/// <param name="Stopped">Why it could not go on; null: it went through.</param>
internal sealed record Finished(long Files, long AlreadyThere, long Bytes, long Failed, string? Stopped = null);

/// <summary>How far the source is.</summary>
/// <param name="Listed">Entries listed so far.</param>
/// <param name="Reading">Bytes that it read of files without sending them: what the destination has already, or for a hash.</param>
internal sealed record SourceProgress(long Listed, long Reading);

/// <summary>The first line on a stream that follows a file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where to begin; negative: so many bytes before its end.</param>
/// <param name="Follow">Go on with what is written to it later.</param>
internal sealed record TailRequest(string Path, long Offset, bool Follow);

/// <summary>The first line of the answer.</summary>
/// <param name="Error">Why not; null: the bytes follow.</param>
internal sealed record TailAnswer(string? Error);

/// <summary>The messages as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(GetRequest))]
[JsonSerializable(typeof(PutRequest))]
[JsonSerializable(typeof(FileEntry))]
[JsonSerializable(typeof(Listing))]
[JsonSerializable(typeof(ListingEnd))]
[JsonSerializable(typeof(Want))]
[JsonSerializable(typeof(Failure))]
[JsonSerializable(typeof(Done))]
[JsonSerializable(typeof(Failures))]
[JsonSerializable(typeof(Finished))]
[JsonSerializable(typeof(SourceProgress))]
[JsonSerializable(typeof(TailRequest))]
[JsonSerializable(typeof(TailAnswer))]
internal sealed partial class ProtocolJson : JsonSerializerContext
{
    /// <summary>The messages as they travel: text in any script as it is, which a page in a browser would have to escape.</summary>
    public static ProtocolJson Wire =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
