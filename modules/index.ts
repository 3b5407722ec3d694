/** The built-in modules. Each is written against the package's public name, as anyone's would be. */
export {}
