using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto;

/// <summary>The operating system's generator: the only source outside of tests. Thread-safe.</summary>
/// <remarks>
/// A handshake draws some forty small numbers, and a call costs a microsecond however few bytes it gives: short draws
/// come out of a block for each thread. Each byte is given once, and wiped as it is; keys are drawn directly.
/// </remarks>
internal sealed class SystemRandomSource : RandomSource
{
    /// <summary>The longest draw from the block: a connection id. Keys are longer.</summary>
    private const int MaxFromBlock = 20;

    private const int BlockLength = 512;

    [ThreadStatic]
    private static byte[]? _block;

    /// <summary>Bytes of the block that were not given yet: its first ones.</summary>
    [ThreadStatic]
    private static int _left;

    private SystemRandomSource()
    {
    }

    public static SystemRandomSource Instance { get; } = new();

    public override void Fill(Span<byte> destination)
    {
        if (destination.Length > MaxFromBlock)
        {
            RandomNumberGenerator.Fill(destination);
            return;
        }

        byte[] block = _block ??= GC.AllocateUninitializedArray<byte>(BlockLength, pinned: true);
        if (_left < destination.Length)
        {
            RandomNumberGenerator.Fill(block);
            _left = block.Length;
        }

        _left -= destination.Length;
        Span<byte> taken = block.AsSpan(_left, destination.Length);
        taken.CopyTo(destination);
        CryptographicOperations.ZeroMemory(taken);
    }
}
