namespace FileTransfer.Sources;

/// <summary>What of a source is meant.</summary>
/// <param name="Paths">Files and directories, as the other side names them; empty: everything.</param>
/// <param name="Exclusions">What is left out.</param>
/// <param name="Depth">How many levels of directories to go down; 0: all.</param>
/// <param name="Checksum">Whether each file is listed with its hash.</param>
internal sealed record SourceQuery(IReadOnlyList<string> Paths, Exclusions Exclusions, int Depth = 0, bool Checksum = false)
{
    public static SourceQuery Everything { get; } = new([], Exclusions.None);
}
