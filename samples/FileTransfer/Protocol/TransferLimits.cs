namespace FileTransfer.Protocol;

/// <summary>Every cap of the file protocol, each with its reason. What exceeds one is refused before it costs anything.</summary>
internal static class TransferLimits
{
    /// <summary>Bytes in a chunk: large enough that its receipt is cheap, small enough that control overtakes it quickly.</summary>
    public const int ChunkSize = 256 * 1024;

    /// <summary>Bytes that may be sent without the receiver's confirmation; far below its receive budget, so nothing is rejected.</summary>
    public const int MaxUnconfirmed = 16 * 1024 * 1024;

    /// <summary>Objects likewise: fewer than may wait for an antecedent at the receiver.</summary>
    public const int MaxUnconfirmedObjects = 512;

    /// <summary>Files in one manifest: the first files flow while the rest of a large tree is still being listed.</summary>
    public const int MaxManifestFiles = 500;

    /// <summary>Files in one request: against a manifest that never ends.</summary>
    public const int MaxFiles = 1_000_000;

    /// <summary>Files that a receiver says it has, so that a request stays one object of a few megabytes.</summary>
    public const int MaxHave = 50_000;

    /// <summary>Bytes of one file: more than any disk holds, and sums cannot overflow.</summary>
    public const long MaxFileSize = 1L << 44;

    /// <summary>Bytes of one request.</summary>
    public const long MaxTotalSize = 1L << 50;

    /// <summary>The largest object taken whole: a chunk, or a request with <see cref="MaxHave"/> entries.</summary>
    public const int MaxObjectSize = 16 * 1024 * 1024;

    /// <summary>Bytes of a path, in UTF-8: below what file systems allow, with room for our directory in front.</summary>
    public const int MaxPathBytes = 1024;

    /// <summary>Bytes of one name in a path: what all common file systems allow, less what a temporary name adds.</summary>
    public const int MaxNameBytes = 240;

    /// <summary>Directories above a file: against trees made to exhaust the stack of whoever walks them.</summary>
    public const int MaxDepth = 64;

    /// <summary>Requests at work at a time on one association.</summary>
    public const int MaxRequests = 16;

    /// <summary>Bytes of the first line on a stream.</summary>
    public const int MaxLine = 4096;

    /// <summary>Messages of the protocol go first; progress follows; file contents yield to both.</summary>
    public const int ControlNiceness = 0;

    /// <summary>Live news yields to control only.</summary>
    public const int ProgressNiceness = 1;

    /// <summary>A followed file is read by somebody who waits.</summary>
    public const int TailNiceness = 10;

    /// <summary>File contents.</summary>
    public const int BulkNiceness = 200;

    /// <summary>How old news of progress may become.</summary>
    public static readonly TimeSpan ProgressLifetime = TimeSpan.FromMilliseconds(500);
}
