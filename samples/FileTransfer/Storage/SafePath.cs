using System.Buffers;
using System.Text;
using FileTransfer.Protocol;

namespace FileTransfer.Storage;

/// <summary>
/// Decides which names from the network may become names on a disk. Whatever is not plainly a relative path inside the tree, on every
/// common file system, is refused: it is never repaired, since two repairs may meet in one name.
/// </summary>
internal static class SafePath
{
    /// <summary>Where unfinished files lie, inside the destination; nobody may name it.</summary>
    public const string StateDirectory = ".post-file";

    // Windows gives these another meaning in every directory, with any extension.
    private static readonly string[] Devices =
    [
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        .. Enumerable.Range(0, 10).SelectMany(n => new[] { $"COM{n}", $"LPT{n}" }),
    ];

    private static readonly SearchValues<char> Forbidden = SearchValues.Create("\\:*?\"<>|");

    /// <summary>Names that differ for the machine at hand.</summary>
    public static StringComparer Comparer { get; } = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
        ? StringComparer.OrdinalIgnoreCase
        : StringComparer.Ordinal;

    /// <summary>Null for a path that may be used; else what is wrong with it.</summary>
    public static string? FindFault(string path)
    {
        if (path.Length == 0 || path[0] == '/')
        {
            return "is not a relative path";
        }

        // Surrogates without a partner have no UTF-8, and what a file system makes of them differs.
        if (path.Length > TransferLimits.MaxPathBytes || !TryCountBytes(path, out var bytes) || bytes > TransferLimits.MaxPathBytes)
        {
            return "is too long or no text";
        }

        var names = path.Split('/');
        if (names.Length > TransferLimits.MaxDepth)
        {
            return $"is more than {TransferLimits.MaxDepth} directories deep";
        }

        if (names[0].Equals(StateDirectory, StringComparison.OrdinalIgnoreCase))
        {
            return "names the directory for unfinished files";
        }

        foreach (var name in names)
        {
            if (FindFaultOfName(name) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    /// <summary>The path on this disk.</summary>
    /// <param name="root">The full path of the tree.</param>
    /// <param name="path">A path in which <see cref="FindFault"/> finds none.</param>
    public static string Combine(string root, string path) => Path.Combine(root, path.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>Whether a directory on the way, or the last name, is a link: links are never followed, so none leads out of the tree.</summary>
    public static bool HasLink(string root, string path)
    {
        var current = root;
        foreach (var name in path.Split('/'))
        {
            current = Path.Combine(current, name);
            var info = new FileInfo(current);
            if (info.LinkTarget is not null || (info.Exists && info.Attributes.HasFlag(FileAttributes.ReparsePoint)))
            {
                return true;
            }
        }

        return false;
    }

    private static string? FindFaultOfName(string name)
    {
        if (name.Length == 0 || name is "." or "..")
        {
            return "has an empty name, '.' or '..' in it";
        }

        if (Encoding.UTF8.GetByteCount(name) > TransferLimits.MaxNameBytes)
        {
            return $"has a name longer than {TransferLimits.MaxNameBytes} bytes";
        }

        foreach (var c in name)
        {
            if (char.IsControl(c))
            {
                return "has a control character in it";
            }
        }

        if (name.AsSpan().ContainsAny(Forbidden))
        {
            return "has one of \\ : * ? \" < > | in it";
        }

        if (name[^1] is '.' or ' ')
        {
            return "has a name that ends in a dot or a space";
        }

        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var stem = (dot < 0 ? name : name[..dot]).TrimEnd(' ');
        return Devices.Contains(stem, StringComparer.OrdinalIgnoreCase) ? "has the name of a device in it" : null;
    }

    private static bool TryCountBytes(string text, out int bytes)
    {
        bytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
            {
                return false;
            }

            bytes += rune.Utf8SequenceLength;
        }

        return true;
    }
}
