using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Post.Quic.Benchmarks.Links;

/// <summary>A network interface whose IP packets this process reads and writes (Linux, <c>/dev/net/tun</c>).</summary>
[SupportedOSPlatform("linux")]
internal sealed partial class TunDevice : IDisposable
{
    private const int ReadWriteNonBlocking = 0x2 | 0x800;
    private const uint SetInterface = 0x400454CA;
    private const short TunWithoutPacketInfo = 0x1 | 0x1000;
    private const int NameLength = 16;
    private const int RequestLength = 40;
    private const short Readable = 1;

    private readonly SafeFileHandle _file;

    /// <summary>Makes the interface in the namespace of the calling thread.</summary>
    /// <exception cref="NotMeasuredException">The machine does not permit it.</exception>
    public TunDevice(string name)
    {
        _file = new SafeFileHandle(Open("/dev/net/tun", ReadWriteNonBlocking), ownsHandle: true);
        Span<byte> request = stackalloc byte[RequestLength];
        request.Clear();
        Encoding.ASCII.GetBytes(name, request);
        MemoryMarshal.Write(request[NameLength..], TunWithoutPacketInfo);
        if (_file.IsInvalid || Control(_file, SetInterface, ref MemoryMarshal.GetReference(request)) < 0)
        {
            throw new NotMeasuredException($"/dev/net/tun cannot be used ({Marshal.GetLastPInvokeErrorMessage()}).");
        }
    }

    public bool WaitToRead(int milliseconds)
    {
        var poll = new PollRequest { File = (int)_file.DangerousGetHandle(), Events = Readable };
        return Poll(ref poll, 1, milliseconds) > 0;
    }

    /// <summary>Reads a packet; 0 when there is none.</summary>
    public int Read(Span<byte> packet) =>
        (int)Math.Max(0, Read(_file, ref MemoryMarshal.GetReference(packet), packet.Length));

    /// <summary>Writes a packet; like any link, it loses one that finds no room.</summary>
    public void Write(ReadOnlySpan<byte> packet) => Write(_file, in MemoryMarshal.GetReference(packet), packet.Length);

    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, nuint request, ref byte argument);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollRequest request, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(SafeFileHandle file, ref byte buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(SafeFileHandle file, in byte buffer, nint length);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int File;
        public short Events;
        public short Happened;
    }
}
