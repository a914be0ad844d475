namespace FileTransfer.Protocol;

/// <summary>Every cap of the file protocol, each with its reason. What exceeds one is refused before it costs anything.</summary>
internal static class TransferLimits
{
    /// <summary>The port where nobody names another.</summary>
    public const int DefaultPort = 4433;

    /// <summary>Bytes in a chunk: large enough that its receipt is cheap, small enough that control overtakes it quickly.</summary>
    public const int ChunkSize = 256 * 1024;

    /// <summary>Files up to this size travel in batches: below it, an object and a sync for each cost more than its bytes.</summary>
    public const int SmallFileSize = 128 * 1024;

    /// <summary>Bytes of files in a batch, not counting the one that fills it.</summary>
    public const int BatchSize = 512 * 1024;

    /// <summary>Files in a batch: against batches of nothing but empty files.</summary>
    public const int MaxBatchFiles = 1000;

    /// <summary>The longest hole told in one message: the receiver hashes it, and wants to be stopped in between.</summary>
    public const long MaxHole = 64L * 1024 * 1024;

    /// <summary>Bytes that may be sent without the receiver's confirmation; far below its receive budget, so nothing is rejected.</summary>
    public const int MaxUnconfirmed = 16 * 1024 * 1024;

    /// <summary>Objects likewise: fewer than may wait for an antecedent at the receiver.</summary>
    public const int MaxUnconfirmedObjects = 512;

    /// <summary>Entries in one listing: the first files flow while the rest of a large tree is still being listed.</summary>
    public const int MaxListingEntries = 500;

    /// <summary>Bytes of paths and reasons in one listing, not counting those of the entry that fills it: long names make no large object.</summary>
    public const int MaxListingBytes = 256 * 1024;

    /// <summary>Listings that the receiver has not answered, so that neither side holds a large tree in memory.</summary>
    public const int MaxListingsAhead = 32;

    /// <summary>Entries in one request: the receiver remembers 16 bytes of each to know one that comes twice.</summary>
    public const int MaxEntries = 20_000_000;

    /// <summary>Failures in one message.</summary>
    public const int MaxFailures = 200;

    /// <summary>Bytes of one file: more than any disk holds, and sums cannot overflow.</summary>
    public const long MaxFileSize = 1L << 50;

    /// <summary>Bytes of one request.</summary>
    public const long MaxTotalSize = 1L << 56;

    /// <summary>The largest object taken whole: a batch, or a listing whose names are all escaped.</summary>
    public const int MaxObjectSize = 4 * 1024 * 1024;

    /// <summary>Bytes of objects held for the application: four times what may be unconfirmed, since half is kept for what is more urgent.</summary>
    public const int ReceiveBudget = 4 * MaxUnconfirmed;

    /// <summary>Bytes of a path, in UTF-8: what Linux takes in one call.</summary>
    public const int MaxPathBytes = 4095;

    /// <summary>Bytes of a link's target.</summary>
    public const int MaxTargetBytes = 4095;

    /// <summary>Paths in one request.</summary>
    public const int MaxPaths = 10_000;

    /// <summary>Patterns of names to leave out: each is tried on each name.</summary>
    public const int MaxExclusions = 100;

    /// <summary>Requests at work at a time on one association.</summary>
    public const int MaxRequests = 16;

    /// <summary>Bytes of the first line on a stream.</summary>
    public const int MaxLine = 8192;

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

    /// <summary>How often it is sent.</summary>
    public static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a sender that is silent keeps a file to itself: another may then put it.</summary>
    public static readonly TimeSpan SilentOwner = TimeSpan.FromSeconds(5);
}
