namespace FileTransfer.Storage.Directories;

/// <summary>What a file system has against something.</summary>
internal enum FaultKind
{
    Other,
    NotFound,
    Denied,
    NoSpace,
    ReadOnly,
    DeviceFailed,
    Exists,
    NotADirectory,
    IsADirectory,
    Link,
    NameTooLong,
    NotARegularFile,
    InUse,
    NotSupported,
}
