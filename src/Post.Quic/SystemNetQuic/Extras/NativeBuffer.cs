using System.Runtime.InteropServices;

namespace Post.Quic.SystemNetQuic.Extras;

/// <summary>msquic's QUIC_BUFFER.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeBuffer
{
    public uint Length;
    public byte* Bytes;
}
