using System.Runtime.InteropServices;

namespace Post.Quic.MsQuic.Native;

/// <summary>msquic's QUIC_BUFFER.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeBuffer
{
    public uint Length;
    public byte* Bytes;
}
