namespace Post.Quic.MsQuic.Native;

/// <summary>msquic's QUIC_CONNECTION_EVENT: the type, and by it one of several sets of data; valid during the callback.</summary>
internal readonly unsafe ref struct NativeEvent(byte* address)
{
    /// <summary>Where the data begin: after the type, aligned to 8.</summary>
    public const int DataOffset = 8;

    public const int MaxSendLengthOffset = 2;

    public const int ReceiveFlagsOffset = 8;

    public const int SendStateOffset = 8;

    public const int TicketOffset = 8;

    private readonly byte* _data = address + DataOffset;

    public int Type { get; } = *(int*)address;

    /// <summary>CONNECTED: a session was resumed.</summary>
    public bool IsResumed => _data[0] != 0;

    /// <summary>DATAGRAM_STATE_CHANGED: the peer takes datagrams.</summary>
    public bool IsSendEnabled => _data[0] != 0;

    /// <summary>DATAGRAM_STATE_CHANGED</summary>
    public int MaxSendLength => *(ushort*)(_data + MaxSendLengthOffset);

    /// <summary>DATAGRAM_RECEIVED</summary>
    public ReadOnlySpan<byte> Datagram
    {
        get
        {
            var buffer = *(NativeBuffer**)_data;
            return new ReadOnlySpan<byte>(buffer->Bytes, (int)buffer->Length);
        }
    }

    /// <summary>DATAGRAM_RECEIVED</summary>
    public bool IsEarlyData => (*(int*)(_data + ReceiveFlagsOffset) & NativeNumbers.ReceivedAsEarlyData) != 0;

    /// <summary>DATAGRAM_SEND_STATE_CHANGED: what was given with the datagram.</summary>
    public nint SendContext => *(nint*)_data;

    /// <summary>DATAGRAM_SEND_STATE_CHANGED</summary>
    public int SendState => *(int*)(_data + SendStateOffset);

    /// <summary>RESUMPTION_TICKET_RECEIVED</summary>
    public ReadOnlySpan<byte> Ticket => new(*(byte**)(_data + TicketOffset), *(int*)_data);
}
