using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.Protocol;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Receiving;

/// <summary>Takes in the listings of one request and refuses what no honest source lists.</summary>
internal sealed class ListingGuard
{
    // Of a name only half a hash is kept: a listing may have millions of them.
    private readonly HashSet<UInt128> _names = [];
    private readonly HashSet<UInt128> _directories = [];

    /// <summary>Entries so far; their numbers are their places.</summary>
    public long Entries { get; private set; }

    /// <summary>Failures that were listed so far.</summary>
    public long Failed { get; private set; }

    /// <summary>Bytes of all files so far.</summary>
    public long TotalSize { get; private set; }

    /// <summary>Whether the end has come.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Takes a listing in.</summary>
    /// <exception cref="TransferException">It is refused; the message says why.</exception>
    public void Add(Listing listing)
    {
        if (IsComplete || listing.First != Entries)
        {
            throw Refused($"a listing begins at entry {listing.First} instead of {Entries}");
        }

        if (listing.Entries is null || listing.Failed is null || listing.PassedOver is null)
        {
            throw Refused("a part of it is missing");
        }

        if (listing.Entries.Count > TransferLimits.MaxListingEntries || Entries + listing.Entries.Count > TransferLimits.MaxEntries)
        {
            throw Refused($"more than {TransferLimits.MaxListingEntries} entries at a time, or {TransferLimits.MaxEntries} in all");
        }

        foreach (var entry in listing.Entries)
        {
            Add(entry);
        }

        foreach (var failed in listing.Failed.Concat(listing.PassedOver))
        {
            if (failed?.Path is null || failed.Reason is null)
            {
                throw Refused("a failure without a path or a reason");
            }
        }

        Failed += listing.Failed.Count;
    }

    /// <summary>Compares what came with what the source says it listed: nothing may be missing in silence.</summary>
    /// <exception cref="TransferException">Something is.</exception>
    public void End(ListingEnd end)
    {
        if (IsComplete || end.Entries != Entries || end.Failed != Failed)
        {
            throw new TransferException(
                ExitCode.Incomplete,
                $"The sender listed {end.Entries} entries and {end.Failed} failures, of which {Entries} and {Failed} arrived. Run again.");
        }

        IsComplete = true;
    }

    private static TransferException Refused(string what) => new(ExitCode.Refused, $"The sender's listing is refused: {what}.");

    private static UInt128 KeyOf(ReadOnlySpan<char> path)
    {
        var text = RelativePath.IgnoresCase ? path.ToString().ToUpperInvariant() : path;
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(TransferLimits.MaxPathBytes)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(text, bytes)], hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private void Add(FileEntry entry)
    {
        // JSON may say null where the type does not.
        if (entry?.Path is not { } path)
        {
            throw Refused("an entry without a path");
        }

        var shown = RelativePath.Show(path);
        if (RelativePath.FindFault(path) is { } fault)
        {
            throw Refused($"'{shown}' {fault}");
        }

        if (entry.Kind is not (FileKind.File or FileKind.Directory or FileKind.Link))
        {
            throw Refused($"'{shown}' is said to be neither a file nor a directory nor a link");
        }

        if (entry.Kind == FileKind.File && entry.Size is < 0 or > TransferLimits.MaxFileSize)
        {
            throw Refused($"'{shown}' is said to have {entry.Size} bytes");
        }

        if (entry.Nanoseconds is < 0 or >= 1_000_000_000 || entry.Mode is < 0 or > 0x1ff || entry.Hash is { Length: not MessageHeader.HashSize })
        {
            throw Refused($"'{shown}' has a time, a mode or a hash that is none");
        }

        if (entry.Kind == FileKind.Link && (entry.Target is null || Encoding.UTF8.GetByteCount(entry.Target) > TransferLimits.MaxTargetBytes))
        {
            throw Refused($"'{shown}' is a link to nothing");
        }

        var key = KeyOf(path);
        if (!_names.Add(key) || (entry.Kind != FileKind.Directory && _directories.Contains(key)))
        {
            throw Refused($"'{shown}' comes twice, or is a file and a directory");
        }

        if (entry.Kind == FileKind.Directory)
        {
            _directories.Add(key);
        }

        // The directories above it, from the nearest on: one that is known has known ones above it.
        for (var parent = RelativePath.ParentOf(path); parent.Length > 0; parent = RelativePath.ParentOf(parent))
        {
            var parentKey = KeyOf(parent);
            if (_names.Contains(parentKey) && !_directories.Contains(parentKey))
            {
                throw Refused($"'{RelativePath.Show(parent)}' is a file and a directory");
            }

            if (!_directories.Add(parentKey))
            {
                break;
            }
        }

        Entries++;
        TotalSize += entry.Kind == FileKind.File ? entry.Size : 0;
        if (TotalSize > TransferLimits.MaxTotalSize)
        {
            throw Refused($"more than {TransferLimits.MaxTotalSize} bytes in all");
        }
    }
}
