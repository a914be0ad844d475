using System.Net;
using System.Net.Quic;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Post.Quic.MsQuic.Native;

namespace Post.Quic.MsQuic;

/// <summary>Tries what the extras rely on, on a connection that is never started and then closed.</summary>
/// <remarks>
/// Not tried, since it takes a peer: the data of CONNECTED, DATAGRAM_STATE_CHANGED, DATAGRAM_RECEIVED and RESUMPTION_TICKET_RECEIVED, and
/// PEER_ADDRESS_CHANGED at all. They belong to the binary interface that System.Net.Quic is bound to, too, and the tests of Post compare them
/// with its own. That a session was resumed is believed only where the server showed no certificate and this side gave a ticket. Nor is the
/// rank of a stream tried, for there is none: a parameter that msquic does not know it refuses, and then streams take turns.
/// </remarks>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed unsafe class SelfTest : IEventTarget
{
    /// <summary>What the datagram is sent with.</summary>
    private const nint Context = 0x505354;

    /// <summary>RFC 9000 section 14: what every path carries.</summary>
    private const int MinMtu = 1200;

    /// <summary>A parameter of connections that does not exist.</summary>
    private const uint NoParameter = 0x0500FFFF;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly byte[] Yes = [1];

    /// <summary>Too short for a ticket, and for other parameters a value like any.</summary>
    private static readonly byte[] NoTicket = [1];

    private readonly MsQuicTable _table;
    private readonly QuicConnection _scratch = QuicInternals.NewConnection();
    private nint _handle;
    private NativeBuffer* _datagram;
    private int _canceledDatagrams;
    private int _ticketStatus;
    private int _unknownStatus;
    private volatile bool _hasEnded;

    private SelfTest(MsQuicTable table) => _table = table;

    /// <summary>Makes a connection, tries it, and closes it, whatever comes.</summary>
    /// <param name="table">The native functions.</param>
    /// <param name="tryOn">Tries the open connection.</param>
    /// <returns>What is not as expected; null where all is.</returns>
    public static string? Run(MsQuicTable table, Func<SelfTest, string?> tryOn)
    {
        var test = new SelfTest(table);
        string? obstacle;
        try
        {
            obstacle = QuicInternals.WithHandle(test._scratch, handle =>
            {
                test._handle = handle;
                EventHook.Install(table, handle, test);
                return tryOn(test);
            });
        }
        finally
        {
            test.Close();
        }

        return obstacle ?? test.FindObstacleAtEnd();
    }

    /// <summary>Settings that say nothing but that a server gives tickets, without early data.</summary>
    public static byte[] ResumeOnly()
    {
        byte[] settings = new byte[NativeNumbers.SettingsSize];
        BitConverter.TryWriteBytes(settings, 1UL << NativeNumbers.ServerResumptionLevelIsSet);
        settings[NativeNumbers.ServerResumptionLevelOffset] = NativeNumbers.ServerResumeOnly;
        return settings;
    }

    /// <summary>What is not as expected of the open connection; null where all is.</summary>
    public string? FindObstacle() =>
        FindObstacleOfContext() ?? FindObstacleOfDatagrams() ?? FindObstacleOfTickets() ?? FindObstacleOfStatistics() ?? FindObstacleOfAddresses();

    void IEventTarget.OnEvent(nint handle, in NativeEvent nativeEvent)
    {
        switch (nativeEvent.Type)
        {
            case NativeNumbers.DatagramSendStateChanged
                when nativeEvent.SendContext == Context && nativeEvent.SendState == NativeNumbers.DatagramCanceled:
                _canceledDatagrams++;
                break;
            case NativeNumbers.ShutdownComplete:
                // What is no ticket is refused as is what is no parameter; but once closed, msquic does not look at it any more.
                _ticketStatus = _table.SetParam(handle, NativeNumbers.ConnectionResumptionTicket, NoTicket);
                _unknownStatus = _table.SetParam(handle, NoParameter, NoTicket);
                _hasEnded = true;
                break;
            default:
                break;
        }
    }

    void IEventTarget.OnFailure(Exception exception)
    {
        // Then an event was not seen, which is found out at the end.
    }

    private string? FindObstacleOfContext()
    {
        nint context = _table.GetContext(_handle);
        return context == 0 || !ReferenceEquals(GCHandle.FromIntPtr(context).Target, _scratch)
            ? "the context of a connection is not known to System.Net.Quic"
            : null;
    }

    private string? FindObstacleOfDatagrams()
    {
        Span<byte> enabled = stackalloc byte[1];
        if (!_table.TrySetParam(_handle, NativeNumbers.ConnectionDatagramReceiveEnabled, Yes)
            || !_table.TryGetParam(_handle, NativeNumbers.ConnectionDatagramReceiveEnabled, enabled, out _)
            || enabled[0] != 1)
        {
            return "datagrams cannot be enabled";
        }

        if (!_table.TryGetParam(_handle, NativeNumbers.ConnectionDatagramSendEnabled, enabled, out _))
        {
            return "whether datagrams may be sent cannot be asked";
        }

        // Before the handshake msquic keeps it, and gives it back at the end.
        _datagram = (NativeBuffer*)NativeMemory.Alloc((nuint)sizeof(NativeBuffer) + 1);
        _datagram->Length = 1;
        _datagram->Bytes = (byte*)(_datagram + 1);
        return NativeNumbers.Succeeded(_table.SendDatagram(_handle, _datagram, Context)) ? null : "a datagram is not taken";
    }

    private string? FindObstacleOfTickets()
    {
        Span<byte> settings = stackalloc byte[NativeNumbers.SettingsSize];
        if (!_table.TrySetParam(_handle, NativeNumbers.ConnectionSettings, ResumeOnly())
            || !_table.TryGetParam(_handle, NativeNumbers.ConnectionSettings, settings, out _)
            || (settings[NativeNumbers.ServerResumptionLevelOffset] & NativeNumbers.ServerResumptionLevelMask) != NativeNumbers.ServerResumeOnly)
        {
            return "the settings of a connection have another layout";
        }

        if (_table.SetParam(_handle, NativeNumbers.ConnectionResumptionTicket, NoTicket) != NativeNumbers.InvalidParameter)
        {
            return "a resumption ticket that is none is not refused";
        }

        return _table.SendResumptionTicket(_handle) == NativeNumbers.InvalidParameter
            ? null
            : "a client that is told to send a ticket does not refuse";
    }

    private string? FindObstacleOfStatistics()
    {
        NativeStatistics statistics = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<NativeStatistics>(ref statistics));
        return _table.TryGetParam(_handle, NativeNumbers.ConnectionStatisticsV2, bytes, out int length)
            && length == bytes.Length
            && statistics is { SendPathMtu: >= MinMtu, SendTotalPackets: 0, SendTotalBytes: 0, ReceivedTotalPackets: 0 }
            ? null
            : "the statistics have another layout";
    }

    private string? FindObstacleOfAddresses()
    {
        var address = new IPEndPoint(IPAddress.Loopback, 4433);
        Span<byte> local = stackalloc byte[NativeAddress.Size];
        return !_table.TrySetParam(_handle, NativeNumbers.ConnectionLocalAddress, NativeAddress.Of(address))
            || !_table.TryGetParam(_handle, NativeNumbers.ConnectionLocalAddress, local, out _)
            || !address.Equals(NativeAddress.Read(local))
            ? "local addresses have another layout"
            : null;
    }

    private string? FindObstacleAtEnd()
    {
        if (!_hasEnded)
        {
            return "the last event of a connection does not reach them";
        }

        if (_canceledDatagrams != 1)
        {
            return "what became of a datagram does not reach them";
        }

        return _ticketStatus == NativeNumbers.InvalidState && _unknownStatus == NativeNumbers.InvalidParameter
            ? null
            : "resumption tickets are another parameter";
    }

    // Off the caller's context, and with its end: that is the event by which all state is given back. Where it does not come, msquic may still
    // have the datagram.
    private void Close()
    {
        try
        {
            Task closing = Task.Run(() => _scratch.DisposeAsync().AsTask());
            if (((IAsyncResult)closing).AsyncWaitHandle.WaitOne(Patience))
            {
                closing.GetAwaiter().GetResult();
                NativeMemory.Free(_datagram);
            }
        }
        finally
        {
            EventHook.Remove(_handle, this);
        }
    }
}
