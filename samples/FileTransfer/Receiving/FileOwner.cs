using System.Diagnostics;
using System.Security.Cryptography;
using FileTransfer.Protocol;

namespace FileTransfer.Receiving;

/// <summary>
/// Who sends an unfinished file. It keeps others away only while it lives: a later run of the same client takes over at once, and anybody
/// may when it has been silent for a while.
/// </summary>
internal sealed class FileOwner(byte[] token)
{
    private long _heard = Stopwatch.GetTimestamp();

    /// <summary>Something of it came.</summary>
    public void Hear() => Volatile.Write(ref _heard, Stopwatch.GetTimestamp());

    public bool YieldsTo(FileOwner other) =>
        CryptographicOperations.FixedTimeEquals(token, other.Token)
        || Stopwatch.GetElapsedTime(Volatile.Read(ref _heard)) > TransferLimits.SilentOwner;

    private byte[] Token => token;
}
