using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic;

namespace Post.Quic.MsQuic.Native;

/// <summary>
/// The entries of msquic's function table that the extras call. The caller holds the handle: by a reference on its
/// SafeHandle, or by being in one of its callbacks.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed unsafe class MsQuicTable
{
    internal const int GetContextEntry = 1;
    internal const int SetCallbackHandlerEntry = 2;
    internal const int SetParamEntry = 3;
    internal const int GetParamEntry = 4;
    internal const int SendResumptionTicketEntry = 20;
    internal const int DatagramSendEntry = 28;

    private readonly delegate* unmanaged[Cdecl]<nint, nint> _getContext;
    private readonly delegate* unmanaged[Cdecl]<nint, void*, nint, void> _setCallbackHandler;
    private readonly delegate* unmanaged[Cdecl]<nint, uint, uint, void*, int> _setParam;
    private readonly delegate* unmanaged[Cdecl]<nint, uint, uint*, void*, int> _getParam;
    private readonly delegate* unmanaged[Cdecl]<nint, uint, ushort, byte*, int> _sendResumptionTicket;
    private readonly delegate* unmanaged[Cdecl]<nint, NativeBuffer*, uint, uint, nint, int> _datagramSend;

    private MsQuicTable(nint* table)
    {
        _getContext = (delegate* unmanaged[Cdecl]<nint, nint>)table[GetContextEntry];
        _setCallbackHandler = (delegate* unmanaged[Cdecl]<nint, void*, nint, void>)table[SetCallbackHandlerEntry];
        _setParam = (delegate* unmanaged[Cdecl]<nint, uint, uint, void*, int>)table[SetParamEntry];
        _getParam = (delegate* unmanaged[Cdecl]<nint, uint, uint*, void*, int>)table[GetParamEntry];
        _sendResumptionTicket = (delegate* unmanaged[Cdecl]<nint, uint, ushort, byte*, int>)table[SendResumptionTicketEntry];
        _datagramSend = (delegate* unmanaged[Cdecl]<nint, NativeBuffer*, uint, uint, nint, int>)table[DatagramSendEntry];
    }

    /// <summary>Opens the table of the library that System.Net.Quic has loaded already.</summary>
    public static bool TryOpen([NotNullWhen(true)] out MsQuicTable? table, [NotNullWhen(false)] out string? obstacle)
    {
        table = null;
        nint library = MsQuicLibrary.Loaded();
        if (library == 0)
        {
            obstacle = "the native library that System.Net.Quic uses was not found where that looks for it";
            return false;
        }

        if (!NativeLibrary.TryGetExport(library, "MsQuicOpenVersion", out nint export))
        {
            obstacle = "the native library does not export MsQuicOpenVersion";
            return false;
        }

        // Never closed again: System.Net.Quic keeps the library for the life of the process, too.
        nint* entries;
        int status = ((delegate* unmanaged[Cdecl]<uint, nint**, int>)export)(NativeNumbers.ApiVersion, &entries);
        if (!NativeNumbers.Succeeded(status))
        {
            obstacle = $"MsQuicOpenVersion({NativeNumbers.ApiVersion}) failed with {status}";
            return false;
        }

        foreach (int entry in (ReadOnlySpan<int>)
            [GetContextEntry, SetCallbackHandlerEntry, SetParamEntry, GetParamEntry, SendResumptionTicketEntry, DatagramSendEntry])
        {
            if (entries[entry] == 0)
            {
                obstacle = $"entry {entry} of msquic's function table is empty";
                return false;
            }
        }

        table = new MsQuicTable(entries);
        obstacle = null;
        return true;
    }

    public nint GetContext(nint handle) => _getContext(handle);

    public void SetCallbackHandler(nint handle, delegate* unmanaged[Cdecl]<nint, nint, byte*, int> handler, nint context) =>
        _setCallbackHandler(handle, handler, context);

    public bool TrySetParam(nint handle, uint parameter, ReadOnlySpan<byte> value) =>
        NativeNumbers.Succeeded(SetParam(handle, parameter, value));

    /// <returns>The status.</returns>
    public int SetParam(nint handle, uint parameter, ReadOnlySpan<byte> value)
    {
        fixed (byte* bytes = value)
        {
            return _setParam(handle, parameter, (uint)value.Length, bytes);
        }
    }

    /// <summary>Fills the beginning of <paramref name="value"/>; <paramref name="length"/> says how much.</summary>
    public bool TryGetParam(nint handle, uint parameter, Span<byte> value, out int length)
    {
        uint size = (uint)value.Length;
        fixed (byte* bytes = value)
        {
            bool succeeded = NativeNumbers.Succeeded(_getParam(handle, parameter, &size, bytes));
            length = succeeded ? (int)size : 0;
            return succeeded;
        }
    }

    /// <summary>Has a server send its client a ticket, without data of ours.</summary>
    /// <returns>The status.</returns>
    public int SendResumptionTicket(nint handle) => _sendResumptionTicket(handle, 0, 0, null);

    /// <summary>Hands over a datagram. The buffer and its bytes stay alive until a final send state.</summary>
    /// <returns>The status: whether msquic took it.</returns>
    public int SendDatagram(nint handle, NativeBuffer* buffer, nint context) => _datagramSend(handle, buffer, 1, 0, context);
}
