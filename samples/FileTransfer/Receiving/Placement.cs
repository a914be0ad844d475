using FileTransfer.Protocol;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Receiving;

/// <summary>Under which name something that was asked for is kept here. By itself, under the one that it has there.</summary>
internal class Placement
{
    public static Placement Same { get; } = new();

    /// <summary>The local path of an entry.</summary>
    public virtual string Place(FileEntry entry) => entry.Path;
}

/// <summary>Keeps the one thing that was asked for under another name.</summary>
/// <param name="asked">The path that was asked for.</param>
/// <param name="name">The name that it gets.</param>
/// <param name="isNameOfFile">If it turns out to be a directory, the name is that of the directory that it goes into.</param>
internal sealed class RenamedPlacement(string asked, string name, bool isNameOfFile) : Placement
{
    private string? _to;

    public override string Place(FileEntry entry)
    {
        _to ??= isNameOfFile && entry.Kind == FileKind.Directory ? RelativePath.Join(name, RelativePath.NameOf(asked)) : name;
        return entry.Path == asked
            ? _to
            : entry.Path.StartsWith(asked + "/", StringComparison.Ordinal)
                ? _to + entry.Path[asked.Length..]
                : throw new TransferException(
                    ExitCode.Refused, $"The server sends '{RelativePath.Show(entry.Path)}' where '{asked}' was asked for.");
    }
}
