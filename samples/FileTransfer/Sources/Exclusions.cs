using System.IO.Enumeration;
using FileTransfer.Protocol;

namespace FileTransfer.Sources;

/// <summary>
/// What is left out by its name. A pattern without a slash is tried on each name, one with a slash on the whole path; * stands for any
/// characters and ? for one. What is in a directory that is left out is left out with it.
/// </summary>
internal sealed class Exclusions(IReadOnlyList<string> patterns)
{
    public static Exclusions None { get; } = new([]);

    public IReadOnlyList<string> Patterns => patterns;

    /// <summary>Takes patterns, from the command line or from the network.</summary>
    /// <exception cref="TransferException">They are too many or too long.</exception>
    public static Exclusions Of(IReadOnlyList<string>? patterns)
    {
        if (patterns is null or [])
        {
            return None;
        }

        return patterns.Count <= TransferLimits.MaxExclusions && patterns.All(pattern => pattern is { Length: > 0 and <= TransferLimits.MaxPathBytes })
            ? new Exclusions([.. patterns.Select(pattern => pattern.Trim('/'))])
            : throw new TransferException(
                ExitCode.Usage, $"--exclude takes patterns that are not empty, and at most {TransferLimits.MaxExclusions} of them.");
    }

    public bool Match(string path, string name)
    {
        foreach (var pattern in patterns)
        {
            if (FileSystemName.MatchesSimpleExpression(pattern, pattern.Contains('/', StringComparison.Ordinal) ? path : name, ignoreCase: false))
            {
                return true;
            }
        }

        return false;
    }
}
