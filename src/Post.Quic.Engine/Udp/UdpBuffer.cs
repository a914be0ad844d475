using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Udp;

/// <summary>A pinned buffer that holds the largest batch a call can bring.</summary>
internal sealed class UdpBuffer
{
    /// <summary>A datagram, and also what GRO coalesces, is at most 64 KiB long.</summary>
    public const int Size = 65536;

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Size, pinned: true);

    public Span<byte> Span => _bytes;

    public Memory<byte> Memory => _bytes;

    /// <summary>Good for as long as this object is reachable.</summary>
    public unsafe byte* Pointer => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);
}
