namespace FileTransfer.Protocol;

/// <summary>
/// What an object of the file protocol is. The first byte of its metadata. The source has the files, the destination wants them: for Get
/// they are the server and the client, for Put the client and the server, and from there on both speak alike.
/// </summary>
internal enum MessageType : byte
{
    /// <summary>Asks for files (JSON <see cref="GetRequest"/>): the server is the source.</summary>
    Get = 1,

    /// <summary>Asks what there is (JSON <see cref="GetRequest"/>).</summary>
    List = 2,

    /// <summary>Asks to be allowed to put files (JSON <see cref="PutRequest"/>): the server is the destination.</summary>
    Put = 3,

    /// <summary>The put may begin.</summary>
    Granted = 4,

    /// <summary>The request is refused (JSON <see cref="Failure"/>).</summary>
    Refused = 5,

    /// <summary>What the source has (JSON <see cref="Protocol.Listing"/>). Its antecedent is the listing before it.</summary>
    Listing = 6,

    /// <summary>All was listed (JSON <see cref="Protocol.ListingEnd"/>). Its antecedent is the last listing.</summary>
    ListingEnd = 7,

    /// <summary>The destination's answer to a listing: which files of it are to be sent, from which byte on (JSON <see cref="Protocol.Want"/>).</summary>
    Want = 8,

    /// <summary>A piece of a file; its antecedent is the piece before it.</summary>
    Chunk = 9,

    /// <summary>A run of zeros that is a hole in the file: 8 bytes, its length. Otherwise like a chunk.</summary>
    Hole = 10,

    /// <summary>Small files, whole and many in one object (<see cref="Batch"/>).</summary>
    Batch = 11,

    /// <summary>One file cannot be sent (JSON <see cref="Failure"/>); the others go on. Its antecedent is what was sent of the file.</summary>
    FileFailed = 12,

    /// <summary>All that was wanted was sent, and the receipts are in (JSON <see cref="Protocol.Done"/>).</summary>
    Done = 13,

    /// <summary>What the destination could not take (JSON <see cref="Protocol.Failures"/>). Its antecedent is the message of failures before it.</summary>
    Failures = 14,

    /// <summary>Everything is on the destination's disk (JSON <see cref="Protocol.Finished"/>). Its antecedent is the last message of failures.</summary>
    Finished = 15,

    /// <summary>The destination cannot go on (JSON <see cref="Failure"/>): the source sends nothing more, and ends with Done.</summary>
    Stop = 16,

    /// <summary>How far the source is (JSON <see cref="SourceProgress"/>); short-lived: late news is no news.</summary>
    Progress = 17,
}
